/** What has been started and must be ended, whatever happens in between. */
export interface Cleanup {
  /** Ends in the reverse order of these calls. */
  add(end: () => Promise<unknown>): void;
  /** Ends everything, each even when another fails; rejects with the failures. Idempotent. */
  run(): Promise<void>;
}

export function createCleanup(): Cleanup {
  const ends: (() => Promise<unknown>)[] = [];
  return {
    add: (end) => void ends.push(end),
    async run() {
      const failures: unknown[] = [];
      for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw new AggregateError(failures, "not everything could be ended");
    },
  };
}
