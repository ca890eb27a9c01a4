import type {
  Body,
  BufferedRequestExchange,
  BufferedResponseExchange,
  Outcome,
  PolicyInstance,
  RequestExchange,
  ResponseExchange,
} from "@envoy-policy-engine/sdk";
import { act, type Behaviour, type Direction, type Step } from "./steps.ts";
import type { Watch } from "./watcher.ts";

/** The policy instance of a step, which tells the watcher when its handlers are called and when they are done. */
export function watchedInstance(watch: () => Watch, index: number, { request, response, buffered }: Step): PolicyInstance<unknown> {
  return {
    ...(request === undefined ? {} : { request: handlerOf(watch, index, "request", request, buffered.includes("request")) }),
    ...(response === undefined ? {} : { response: handlerOf(watch, index, "response", response, buffered.includes("response")) }),
  };
}

function handlerOf(watch: () => Watch, index: number, phase: Direction, what: Behaviour, waits: boolean) {
  const handle = (exchange: RequestExchange<unknown> | ResponseExchange<unknown>): Outcome => {
    const seen = watch();
    const name = `${phase} ${index}`;
    if (seen.ended) seen.faults.push(`the handler \`${name}\` was called after the end`);
    if (seen.called.has(name)) seen.faults.push(`the handler \`${name}\` was called twice`);
    seen.called.add(name);
    const headers =
      "response" in exchange && phase === "response" ? exchange.response.headers : (exchange as RequestExchange).request.headers;
    const change = (how?: "replaced" | "cleared"): undefined => {
      headers.set("x-changed", "yes");
      if (how !== undefined && waits) bodyOf(exchange).set(how === "replaced" ? "longer than before" : undefined);
      seen.done.add(name);
    };
    if (what === "pass") seen.done.add(name);
    if (what === "hang") seen.hangs = true;
    const outcome = act(what, change);
    if (outcome instanceof Promise && what !== "hang") {
      seen.running += 1;
      const over = (): void => {
        seen.running -= 1;
      };
      outcome.then(over, over);
    }
    return outcome;
  };
  return waits ? { body: "buffered" as const, handle } : handle;
}

function bodyOf(exchange: RequestExchange<unknown> | ResponseExchange<unknown>): Body {
  return (exchange as BufferedRequestExchange<unknown> | BufferedResponseExchange<unknown>).body;
}
