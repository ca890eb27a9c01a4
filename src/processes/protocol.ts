/**
 * What the parent process and its workers say to each other, over Node's channel between processes. Two closed unions with a version: a worker
 * that was started from a newer program may speak another one, and is then told so instead of being half understood.
 */
import type { ListenAddress } from "../config/addresses.ts";
import { type ErrorCode, type Problem, problemCatalogue } from "../errors.ts";
import { anything, type Guard, list, literal, number, oneOf, optional, shape, text } from "./shape.ts";

export const protocolVersion = 1;

/** From the parent to a worker. */
export type Order =
  /** Answered with `started`, or with `failed`. */
  | StartOrder
  /** From now on it answers Envoy. Answered with `listening`, or with `failed`. */
  | { readonly kind: "listen" }
  /** Answered with `prepared` or `refused`. Drops what was prepared before and not committed. */
  | { readonly kind: "prepare"; readonly transaction: number; readonly documents: readonly OrderedDocument[] }
  /** Answered with `committed`. */
  | { readonly kind: "commit"; readonly transaction: number; readonly generation: number }
  | { readonly kind: "drop"; readonly transaction: number }
  /** Answered with `answer`. */
  | { readonly kind: "ask"; readonly question: number; readonly about: Question }
  /** As on SIGTERM: drain, then end. Answered with `ended`. */
  | { readonly kind: "stop" }
  /** End whatever is left. */
  | { readonly kind: "end" };

/** The first one. Settings come as text, so that both processes read them by the same rules. */
export interface StartOrder {
  readonly kind: "start";
  readonly protocol: number;
  readonly index: number;
  readonly settings: { readonly uri: string; readonly text: string };
  /** Absolute: where relative paths of the settings start. */
  readonly directory: string;
}

/** Text with references to secrets, never their values: each process reads those for itself. */
export interface OrderedDocument {
  readonly uri: string;
  readonly text: string;
  /** A provider of the settings: which secrets the text may use and how it counts follows from it. */
  readonly provider: string;
}

export type Question =
  /** Only whether the event loop turns. */
  | { readonly kind: "pulse" }
  | { readonly kind: "metrics" }
  /** For statistics: see `GenerationCounts`. */
  | { readonly kind: "counts" }
  /** Probes, and generations that still have exchanges: see `WorkerDetail`. */
  | { readonly kind: "detail" }
  | { readonly kind: "route"; readonly name: string }
  | { readonly kind: "decision"; readonly id: string }
  /** What `POST /explain` was sent. */
  | { readonly kind: "explain"; readonly text: string };

/** From a worker to the parent. */
export type Report =
  | {
      readonly kind: "started";
      readonly protocol: number;
      /** Of the program. */
      readonly version: string;
    }
  | { readonly kind: "listening"; readonly addresses: readonly ListenAddress[] }
  /** It cannot start, and ends. */
  | { readonly kind: "failed"; readonly message: string }
  | {
      readonly kind: "prepared";
      readonly transaction: number;
      /** Of the configuration with its secrets: two workers with another one have not prepared the same. */
      readonly fingerprint: string;
      readonly warnings: readonly Problem[];
    }
  | { readonly kind: "refused"; readonly transaction: number; readonly problems: readonly Problem[] }
  | { readonly kind: "committed"; readonly transaction: number }
  | { readonly kind: "answer"; readonly question: number; readonly body: unknown }
  /** The last one. `metrics` is what it has counted; see `metrics`. */
  | { readonly kind: "ended"; readonly metrics: unknown };

const question: Guard<Question> = oneOf<Question>(
  shape<Extract<Question, { kind: "pulse" }>>({ kind: literal("pulse") }),
  shape<Extract<Question, { kind: "metrics" }>>({ kind: literal("metrics") }),
  shape<Extract<Question, { kind: "counts" }>>({ kind: literal("counts") }),
  shape<Extract<Question, { kind: "detail" }>>({ kind: literal("detail") }),
  shape<Extract<Question, { kind: "route" }>>({ kind: literal("route"), name: text }),
  shape<Extract<Question, { kind: "decision" }>>({ kind: literal("decision"), id: text }),
  shape<Extract<Question, { kind: "explain" }>>({ kind: literal("explain"), text }),
);

export const isOrder: Guard<Order> = oneOf<Order>(
  shape<StartOrder>({
    kind: literal("start"),
    protocol: number,
    index: number,
    settings: shape<StartOrder["settings"]>({ uri: text, text }),
    directory: text,
  }),
  shape<Extract<Order, { kind: "listen" }>>({ kind: literal("listen") }),
  shape<Extract<Order, { kind: "prepare" }>>({
    kind: literal("prepare"),
    transaction: number,
    documents: list(shape<OrderedDocument>({ uri: text, text, provider: text })),
  }),
  shape<Extract<Order, { kind: "commit" }>>({ kind: literal("commit"), transaction: number, generation: number }),
  shape<Extract<Order, { kind: "drop" }>>({ kind: literal("drop"), transaction: number }),
  shape<Extract<Order, { kind: "ask" }>>({ kind: literal("ask"), question: number, about: question }),
  shape<Extract<Order, { kind: "stop" }>>({ kind: literal("stop") }),
  shape<Extract<Order, { kind: "end" }>>({ kind: literal("end") }),
);

const position: Guard<Problem["position"]> = shape<Problem["position"]>({ uri: text, line: number, column: number });

const problems: Guard<readonly Problem[]> = list(
  shape<Problem>({
    code: (value): value is ErrorCode => typeof value === "string" && Object.hasOwn(problemCatalogue, value),
    severity: oneOf<Problem["severity"]>(literal("error"), literal("warning")),
    message: text,
    remedy: text,
    position,
    path: text,
    related: optional(list(shape<NonNullable<Problem["related"]>[number]>({ message: text, position }))),
  }),
);

const address: Guard<ListenAddress> = oneOf<ListenAddress>(
  shape<Extract<ListenAddress, { kind: "unix" }>>({ kind: literal("unix"), path: text }),
  shape<Extract<ListenAddress, { kind: "tcp" }>>({ kind: literal("tcp"), host: text, port: number }),
);

export const isReport: Guard<Report> = oneOf<Report>(
  shape<Extract<Report, { kind: "started" }>>({ kind: literal("started"), protocol: number, version: text }),
  shape<Extract<Report, { kind: "listening" }>>({ kind: literal("listening"), addresses: list(address) }),
  shape<Extract<Report, { kind: "failed" }>>({ kind: literal("failed"), message: text }),
  shape<Extract<Report, { kind: "prepared" }>>({ kind: literal("prepared"), transaction: number, fingerprint: text, warnings: problems }),
  shape<Extract<Report, { kind: "refused" }>>({ kind: literal("refused"), transaction: number, problems }),
  shape<Extract<Report, { kind: "committed" }>>({ kind: literal("committed"), transaction: number }),
  shape<Extract<Report, { kind: "answer" }>>({ kind: literal("answer"), question: number, body: anything }),
  shape<Extract<Report, { kind: "ended" }>>({ kind: literal("ended"), metrics: anything }),
);
