import type {
  Body,
  BodyTransform,
  BufferedRequestExchange,
  BufferedResponseExchange,
  Outcome,
  PolicyInstance,
  Reply,
  RequestExchange,
  ResponseExchange,
  StreamControl,
} from "@envoy-policy-engine/sdk";
import { act, type Behaviour, type Direction, type Step } from "./steps.ts";
import { type Stage, watchedTransform } from "./transforms.ts";
import type { Watch } from "./watcher.ts";

/** The policy instance of a step, which tells the watcher when its handlers are called and when they are done. */
export function watchedInstance(watch: () => Watch, index: number, step: Step): PolicyInstance<unknown> {
  return {
    ...(step.request === undefined ? {} : { request: handlerOf(watch, index, "request", step.request, step) }),
    ...(step.response === undefined ? {} : { response: handlerOf(watch, index, "response", step.response, step) }),
  };
}

function handlerOf(watch: () => Watch, index: number, phase: Direction, what: Behaviour, { body, transforming }: Step) {
  const takes = body[phase];
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
      if (how !== undefined && takes === "buffered") bodyOf(exchange).set(how === "replaced" ? "longer than before" : undefined);
      seen.done.add(name);
    };
    if (what === "pass") seen.done.add(name);
    if (what === "hang") seen.hangs = true;
    const outcome = act(what, change);
    if (outcome instanceof Promise && takes === "streamed")
      outcome.catch(() => {}); // Nobody waits for it: the step has failed.
    else if (outcome instanceof Promise && what !== "hang") {
      seen.running += 1;
      const over = (): void => {
        seen.running -= 1;
      };
      outcome.then(over, over);
    }
    return outcome;
  };
  const start = (
    exchange: RequestExchange<unknown> | ResponseExchange<unknown>,
    stream: StreamControl,
  ): Reply | BodyTransform | undefined => {
    const outcome: unknown = handle(exchange);
    if (outcome !== undefined) return outcome as Reply;
    const stage: Stage = { took: [], gave: [], ended: false };
    if (hasBody(watch(), phase, exchange)) watch().stages[phase].push(stage);
    return watchedTransform(watch(), stage, transforming, stream);
  };
  switch (takes) {
    case "none":
      return handle;
    case "buffered":
      return { body: takes, handle };
    case "streamed":
      return { body: takes, start };
    default:
      return takes satisfies never;
  }
}

/** Whether anything is to pass what is left behind: not where there is no body, nor on a reply or a part of a whole. */
function hasBody(watch: Watch, phase: Direction, exchange: RequestExchange<unknown> | ResponseExchange<unknown>): boolean {
  if (watch.bodyless.has(phase)) return false;
  if (phase === "request" || !("response" in exchange)) return true;
  return exchange.response.origin === "upstream" && ![204, 206, 304].includes(exchange.response.status);
}

function bodyOf(exchange: RequestExchange<unknown> | ResponseExchange<unknown>): Body {
  return (exchange as BufferedRequestExchange<unknown> | BufferedResponseExchange<unknown>).body;
}
