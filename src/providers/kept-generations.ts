import type { Verdict } from "./provider.ts";

/** Why a generation came into use. `refresh`: a secret was rotated. `disk`: the start from what was saved. */
export type Reason = "delivery" | "refresh" | "rollback" | "disk";

/** A generation that can be rolled back to. */
export interface KeptGeneration {
  readonly generation: number;
  /** Content hash. */
  readonly hash: string;
  /** When it came into use, milliseconds since the epoch. */
  readonly since: number;
  readonly reason: Reason;
  /** The state of each provider that it was made of, in the provider's own word. */
  readonly providers: readonly { readonly name: string; readonly version: string }[];
}

/** How many generations can be rolled back to, the one in use included. Only their texts are kept, and those share what did not change. */
export const keptGenerationsMax = 10;

export interface KeptGenerations<Deliveries> {
  add(verdict: Extract<Verdict, { kind: "accepted" }>, deliveries: Deliveries, reason: Reason): void;
  find(generation: number): Deliveries | undefined;
  /** Oldest first. */
  list(): readonly KeptGeneration[];
  /** Number of the newest; 0 before there is one. */
  newest(): number;
  /** Drops those that nobody may roll back to any more. */
  forget(isGone: (deliveries: Deliveries) => boolean): void;
}

type Versions = ReadonlyMap<{ readonly name: string }, { readonly version: string }>;

export function createKeptGenerations<Deliveries extends Versions>(now: () => number): KeptGenerations<Deliveries> {
  let kept: readonly { readonly facts: KeptGeneration; readonly deliveries: Deliveries }[] = [];
  return {
    add({ generation, hash }, deliveries, reason) {
      const providers = [...deliveries].map(([{ name }, { version }]) => ({ name, version }));
      kept = [...kept, { facts: { generation, hash, since: now(), reason, providers }, deliveries }].slice(-keptGenerationsMax);
    },
    find: (generation) => kept.find(({ facts }) => facts.generation === generation)?.deliveries,
    list: () => kept.map(({ facts }) => facts),
    newest: () => kept.at(-1)?.facts.generation ?? 0,
    forget(isGone) {
      kept = kept.filter(({ deliveries }) => !isGone(deliveries));
    },
  };
}
