/** Chains of three steps that do as a plan says, and what the last step to run has seen of each message. */
import type {
  Body,
  BufferedRequestExchange,
  BufferedResponseExchange,
  Outcome,
  PolicyInstance,
  RequestExchange,
  ResponseExchange,
} from "@envoy-policy-engine/sdk";
import type { PolicyRegistry } from "../../../src/config/types.ts";
import type { HeaderLine } from "../../../src/testing/simulated-envoy.ts";
import { codePolicies } from "../code-policy.ts";
import { type Act, type Direction, directions, type Target } from "./generated.ts";

export interface PlannedChains {
  readonly policies: PolicyRegistry;
  /** With a route for each chain: `c0` to `c63`, one for each choice of handlers that wait for the body. */
  readonly config: string;
  /** What the steps do from now on. Nothing has been seen yet. */
  begin(plan: Plan): void;
  seen(direction: Direction): View | undefined;
}

export type Plan = Readonly<Record<Direction, readonly Act[]>>;

/** What a step sees of a message. */
export interface View {
  /** Undefined for a response. */
  readonly target: Target | undefined;
  readonly headers: readonly HeaderLine[];
  /** Undefined where the step does not wait for it. */
  readonly body: { readonly bytes: Uint8Array | undefined } | undefined;
}

export const chainCount = 64;

type AnyExchange = RequestExchange<unknown> | ResponseExchange<unknown>;

/** Between a first step, which sees the response last, and a last one, which sees the request last. */
export function plannedChains(): PlannedChains {
  let plan: Plan = { request: [], response: [] };
  let seen: Partial<Record<Direction, View>> = {};
  const instances: Record<string, PolicyInstance<unknown>> = {};
  const handler = (direction: Direction, buffered: boolean, handle: (exchange: AnyExchange) => Outcome) => ({
    [direction]: buffered ? { body: "buffered", handle } : handle,
  });
  for (const buffered of [false, true]) {
    const watch = (direction: Direction) =>
      handler(direction, buffered, (exchange) => {
        seen[direction] = look(exchange, direction, buffered);
      });
    instances[`first-${buffered}`] = watch("response");
    instances[`last-${buffered}`] = watch("request");
  }
  const step = (mask: number, index: number): string => {
    const name = `step-${index}-${waits(mask, index, "request")}-${waits(mask, index, "response")}`;
    const part = (direction: Direction) =>
      handler(direction, waits(mask, index, direction), (exchange) => {
        const act = plan[direction][index];
        return act && perform(act, exchange, direction, waits(mask, index, direction));
      });
    instances[name] ??= { ...part("request"), ...part("response") };
    return name;
  };
  const masks = Array.from({ length: chainCount }, (_, mask) => mask);
  const chains = masks.map((mask) => {
    const any = (direction: Direction) => [0, 1, 2].some((index) => waits(mask, index, direction));
    const names = [`first-${any("response")}`, ...[0, 1, 2].map((index) => step(mask, index)), `last-${any("request")}`];
    return `  c${mask}: { steps: [${names.map((one) => `{ policy: ${one}@1.0.0, onError: skip }`).join(", ")}] }`;
  });
  return {
    policies: codePolicies(instances),
    config: `version: 1\nchains:\n${chains.join("\n")}\nroutes: { ${masks.map((mask) => `c${mask}: c${mask}`).join(", ")} }\n`,
    begin(next) {
      plan = next;
      seen = {};
    },
    seen: (direction) => seen[direction],
  };
}

/** Whether a step's handler waits for the body in a chain. */
function waits(mask: number, index: number, direction: Direction): boolean {
  return ((mask >> (index * 2 + directions.indexOf(direction))) & 1) === 1;
}

function look(exchange: AnyExchange, direction: Direction, buffered: boolean): View {
  const headers = headersOf(exchange, direction);
  const { method, path, query, host } = exchange.request;
  return {
    target: direction === "request" ? { method, path, query, host } : undefined,
    headers: headers
      .names()
      .flatMap((name) => headers.getBytes(name).map((one): HeaderLine => [name, Buffer.from(one).toString("latin1")])),
    body: buffered ? { bytes: bodyOf(exchange).bytes } : undefined,
  };
}

function perform({ changes, ends }: Act, exchange: AnyExchange, direction: Direction, buffered: boolean): Outcome {
  const go = (): undefined => {
    const headers = headersOf(exchange, direction);
    for (const one of changes) {
      if (one.do === "delete") headers.delete(one.name);
      else if (one.do === "set" || one.do === "append") headers[one.do](one.name, one.value);
      else if (one.do === "target" && direction === "request") Object.assign(exchange.request, one.to);
      else if (one.do === "body" && buffered) bodyOf(exchange).set(one.bytes);
    }
    if (ends === "badly") throw new Error("after all");
  };
  return ends === "later" ? new Promise<void>((resolve) => setImmediate(resolve)).then(go) : go();
}

const headersOf = (exchange: AnyExchange, direction: Direction) =>
  direction === "response" ? (exchange as ResponseExchange).response.headers : (exchange as RequestExchange).request.headers;
const bodyOf = (exchange: AnyExchange): Body => (exchange as BufferedRequestExchange | BufferedResponseExchange).body;
