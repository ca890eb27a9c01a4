import type { FailureCode } from "../errors.ts";
import type { Phase } from "./wire/decode.ts";

/** Where an exchange stands between Envoy and the steps of its chain. */
export type ExchangeState =
  /** Nothing has been asked yet. */
  | "opened"
  /** A message is unanswered: steps are running, or a body is decoded or encoded. */
  | "running"
  /** The request's headers are answered, and a step waits for its body. */
  | "awaiting-request-body"
  /** The request is answered; a response handler can still run. */
  | "awaiting-response"
  /** The response's headers are answered, and a step waits for its body. */
  | "awaiting-response-body"
  /** No handler can run any more, but a body is still passing in pieces. */
  | "passing"
  /** The stream has been ended, by us or by Envoy. */
  | "ended";

/** Messages that no step asks for in a chain of headers-only steps. */
export type UnaskedPhase = Exclude<Phase, "request-headers" | "response-headers">;

/** What becomes of a message that no step asked for. `wait`: until the message before it is answered. `drop`: nobody waits for an answer. */
export type UnaskedFate = { readonly kind: "pass" | "wait" | "drop" } | { readonly kind: "refuse"; readonly code: FailureCode };

/** Body and trailers that Envoy's own configuration sends pass, once the headers are answered. */
export function fateOfUnasked(state: ExchangeState, phase: UnaskedPhase): UnaskedFate {
  switch (state) {
    case "opened":
      return { kind: "refuse", code: "request-headers-missing" };
    case "running":
      return { kind: "wait" };
    case "awaiting-request-body":
      return { kind: "refuse", code: "body-not-sent" };
    case "awaiting-response":
      return phase === "response-body" || phase === "response-trailers"
        ? { kind: "refuse", code: "response-headers-missing" }
        : { kind: "pass" };
    case "awaiting-response-body":
    // The end of the request's trailers may still come.
    case "passing":
      return { kind: "pass" };
    case "ended":
      return { kind: "drop" };
    default:
      return state satisfies never;
  }
}
