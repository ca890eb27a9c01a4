import type { ConfiguredBodies } from "./wire/decode.ts";
import type { ModeOverride } from "./wire/encode.ts";

/** What Envoy sends of an exchange as things stand: by its own configuration, or by the last override. */
export interface ModesInForce {
  readonly requestBody: ConfiguredBodies["request"];
  readonly responseHeaders: ModeOverride["responseHeaders"];
  readonly responseBody: ConfiguredBodies["response"];
}

/** What the chain waits for once a headers message is answered; where it waits for nothing the stream ends, and nothing is asked. */
export type Awaited = "request-body" | "response" | "response-body";

/** What is still possible when the request's headers are answered. */
export interface Wants {
  readonly response: boolean;
  readonly responseBody: boolean;
}

/** Asks Envoy for exactly what the chain can still use; undefined when it does that anyway. */
export function modeOverride(awaited: Awaited, inForce: ModesInForce, wants: Wants): ModeOverride | undefined {
  const modes = wantedModes(awaited, inForce, wants);
  const { requestBody, responseHeaders, responseBody } = inForce;
  const same = modes.requestBody === requestBody && modes.responseHeaders === responseHeaders && modes.responseBody === responseBody;
  // A body that is waited for is asked for in any case: nothing that Envoy says shows whether its trailers come too, without which a message
  // of headers and trailers goes on unseen (measured).
  const waitsForBody = awaited === "request-body" || awaited === "response-body";
  return same && !waitsForBody ? undefined : modes;
}

function wantedModes(awaited: Awaited, inForce: ModesInForce, wants: Wants): ModeOverride {
  // A body that Envoy would send anyway is not switched off and on again; one that nobody waits for would hang a websocket (measured).
  const responseBody = wants.responseBody ? kept(inForce.responseBody) : "none";
  switch (awaited) {
    case "request-body":
      return { requestBody: "buffered", responseHeaders: wants.response ? "send" : "skip", responseBody };
    case "response":
      return { requestBody: "none", responseHeaders: "send", responseBody };
    case "response-body":
      // It takes the place of the request's modes too: what is under way must not be switched off (measured).
      return { requestBody: kept(inForce.requestBody), responseHeaders: inForce.responseHeaders, responseBody: "buffered" };
    default:
      return awaited satisfies never;
  }
}

const kept = (mode: ConfiguredBodies["request"]): ModeOverride["requestBody"] => (mode === "buffered" ? "buffered" : "none");
