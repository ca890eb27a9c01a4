/** Who is measured, as data. One line is one row of the table. */
import type { ChainName, Load, Work } from "./chains.ts";

export const transports = ["grpc-js", "native"] as const;
export type Transport = (typeof transports)[number];

export const noOps = ["go", "rust", "grpc-js"] as const;
export type NoOp = (typeof noOps)[number];

/** Who Envoy asks. */
export type Processor =
  | { readonly kind: "nobody"; readonly filter: "none" | "header-mutation" }
  | { readonly kind: "no-op"; readonly noOp: NoOp; readonly modes: NoOpModes }
  | { readonly kind: "engine"; readonly transport: Transport; readonly chain: ChainName; readonly routes: number };

/** What a no-op is sent; an engine's is printed by itself. */
export type NoOpModes = "request-headers" | "both-headers" | "buffered";

export interface Contender {
  readonly name: string;
  readonly processor: Processor;
  readonly load: Load;
}

export function contenderOf(processor: Processor, load: Load): Contender {
  return { name: `${processorName(processor)}${load === "headers" ? "" : `, ${load}`}`, processor, load };
}

export function workOf(processor: Processor): Work {
  switch (processor.kind) {
    case "nobody":
      return processor.filter === "none" ? "nothing" : "no-op";
    case "no-op":
      return "no-op";
    case "engine":
      return processor.chain;
  }
}

export const alone = (load: Load): Contender => contenderOf({ kind: "nobody", filter: "none" }, load);
export const headerFilter = contenderOf({ kind: "nobody", filter: "header-mutation" }, "headers");

export function noOp(name: NoOp, load: Load, modes: NoOpModes = load === "headers" ? "request-headers" : "buffered"): Contender {
  return contenderOf({ kind: "no-op", noOp: name, modes }, load);
}

interface EngineLoad {
  readonly load?: Load;
  readonly routes?: number;
}

export function engine(transport: Transport, chain: ChainName, { load = "headers", routes = 1 }: EngineLoad = {}): Contender {
  return contenderOf({ kind: "engine", transport, chain, routes }, load);
}

function processorName(processor: Processor): string {
  switch (processor.kind) {
    case "nobody":
      return processor.filter === "none" ? "Envoy alone" : "Envoy's header_mutation";
    case "no-op":
      return `${noOpNames[processor.noOp]}${modeNames[processor.modes]}`;
    case "engine": {
      const routes = processor.routes === 1 ? "" : `, ${processor.routes} routes`;
      return `engine on ${processor.transport}, ${chainTexts[processor.chain]}${routes}`;
    }
  }
}

const noOpNames = { go: "no-op in Go", rust: "no-op in Rust", "grpc-js": "no-op on grpc-js" } as const satisfies Record<NoOp, string>;

const modeNames = { "request-headers": "", "both-headers": ", response headers too", buffered: ", buffered" } as const satisfies Record<
  NoOpModes,
  string
>;

const chainTexts = {
  empty: "empty chain",
  one: "1 policy",
  five: "5 policies",
  ten: "10 policies",
  held: "5 policies, response headers too",
  buffered: "JSON body buffered",
  streamed: "JSON body masked in pieces",
} as const satisfies Record<ChainName, string>;
