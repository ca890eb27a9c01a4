/** A configuration whose every step comes to another end, and what a provider must be told after some exchanges with it. */

export const countedChains = `version: 1
chains:
  orders:
    steps:
      - { policy: script@1, name: stamp, parameters: { request: [{ do: set, name: x-stamp, value: "one" }], response: [{ do: remember }] } }
      - { policy: script@1, name: dead, when: request.path == "/never", parameters: { request: [{ do: remember }] } }
      - { policy: script@1, name: broken, onError: skip, parameters: { request: [{ do: throw }] } }
  secrets: { steps: [{ policy: script@1, name: gate, parameters: { request: [{ do: reply, status: 403, code: no-entry }] } }] }
  unused: { steps: [{ policy: script@1, name: never, parameters: { request: [{ do: remember }] } }] }
routes: { orders: orders, secrets: secrets }
`;

/** Names, versions and counts of what a report says, without times and durations. */
export interface Told {
  readonly generation?: unknown;
  readonly delivered?: { readonly version: string; readonly outcome: string; readonly refusal: string | null } | null;
  readonly generations?: readonly { readonly number: number; readonly version: string | null; readonly exchanges: number }[];
  readonly chains?: readonly {
    readonly chain: string;
    readonly exchanges: number;
    readonly steps: readonly {
      readonly step: string;
      readonly runs: number;
      readonly skips: number;
      readonly replies: number;
      readonly errors: number;
      readonly latency: { readonly buckets: readonly number[] };
    }[];
  }[];
}

/** `chain exchanges` and `step runs skips replies errors timed`, one text each. */
export function toldCounts({ chains = [] }: Told): readonly string[] {
  return chains.flatMap(({ chain, exchanges, steps }) => [
    `${chain} ${exchanges}`,
    ...steps.map(({ step, runs, skips, replies, errors, latency }) => {
      const timed = latency.buckets.reduce((sum, count) => sum + count, 0);
      return `  ${step} ${runs} ${skips} ${replies} ${errors} ${timed}`;
    }),
  ]);
}

/** The counts after so many exchanges on each of the routes. A step with two handlers has two runs in an exchange. */
export function countsAfter(orders: number, secrets: number): readonly string[] {
  return [
    `orders ${orders}`,
    `  stamp ${2 * orders} 0 0 0 ${2 * orders}`,
    `  dead 0 ${orders} 0 0 0`,
    `  broken ${orders} 0 0 ${orders} ${orders}`,
    `secrets ${secrets}`,
    `  gate ${secrets} 0 ${secrets} 0 ${secrets}`,
    "unused 0",
    "  never 0 0 0 0 0",
  ];
}
