/** What is measured, and for how long. */
import type { Load } from "./chains.ts";
import { alone, type Contender, engine, headerFilter, type NoOp, noOp, transports } from "./contenders.ts";
import type { Length } from "./load.ts";

export interface BenchPlan {
  readonly noOps: readonly NoOp[];
  /** Contenders of one group have the same requests. */
  readonly groups: readonly Group[];
  readonly rounds: number;
  /** Of the Envoy that everybody stands behind. */
  readonly envoyThreads: number;
  /** Each phase of a closed loop, ms. */
  readonly closedMs: number;
  /** Before each phase, ms: while the others had their turn, its code and its data have left the caches. */
  readonly leadInMs: number;
  /** Each phase at a fixed rate, ms. */
  readonly openMs: number;
  /** Before anything counts, on each contender: compilers have then seen the code and caches the tokens. */
  readonly warmUp: Length;
  /** Exchanges that are open at once when memory is read; 0: it is not. */
  readonly held: number;
}

export interface Group {
  readonly load: Load;
  /** Between whose phases the others are measured for processor time; the first that could be built. */
  readonly references: readonly Contender[];
  readonly contenders: readonly Contender[];
  /** Requests a second at which latency is measured, against Envoy alone. */
  readonly rates: readonly number[];
}

export const fullPlan: BenchPlan = {
  noOps: ["go", "rust", "grpc-js"],
  groups: [
    {
      load: "headers",
      references: [noOp("go", "headers"), noOp("grpc-js", "headers")],
      contenders: [
        headerFilter,
        noOp("rust", "headers"),
        noOp("grpc-js", "headers"),
        ...transports.flatMap((transport) => [
          engine(transport, "empty"),
          engine(transport, "one"),
          engine(transport, "five"),
          engine(transport, "five", { routes: 200 }),
          engine(transport, "ten"),
        ]),
      ],
      rates: [1000, 3000],
    },
    bodyGroup("10 KiB"),
    bodyGroup("100 KiB"),
  ],
  rounds: 3,
  envoyThreads: 1,
  closedMs: 3_000,
  leadInMs: 1_000,
  openMs: 3_000,
  warmUp: { answersMax: 20_000, forMs: 20_000 },
  held: 1_000,
};

/** What fits into a minute and a half and needs no other compilers. */
export const shortPlan: BenchPlan = {
  noOps: ["grpc-js"],
  groups: [
    {
      load: "headers",
      references: [noOp("grpc-js", "headers")],
      contenders: [engine("grpc-js", "five"), engine("native", "empty"), engine("native", "five"), engine("native", "ten")],
      rates: [],
    },
  ],
  rounds: 3,
  envoyThreads: 1,
  closedMs: 1_200,
  leadInMs: 400,
  openMs: 0,
  warmUp: { answersMax: 10_000, forMs: 6_000 },
  held: 0,
};

/** Everybody who is measured, each once. */
export function contendersOf({ groups, held }: BenchPlan): readonly Contender[] {
  const all = groups.flatMap(({ load, references, contenders }) => [alone(load), ...references, ...contenders]);
  const withHeld = held === 0 ? all : [...all, ...heldContenders];
  return [...new Map(withHeld.map((contender) => [contender.name, contender])).values()];
}

/** Whose exchanges stay open until the response has passed. */
export const heldContenders: readonly Contender[] = [
  ...(["go", "rust", "grpc-js"] as const).map((name) => noOp(name, "headers", "both-headers")),
  ...transports.map((transport) => engine(transport, "held")),
];

function bodyGroup(load: "10 KiB" | "100 KiB"): Group {
  return {
    load,
    references: [noOp("go", load), noOp("grpc-js", load)],
    contenders: [
      noOp("grpc-js", load),
      ...transports.flatMap((transport) => [engine(transport, "buffered", { load }), engine(transport, "streamed", { load })]),
    ],
    rates: [100],
  };
}
