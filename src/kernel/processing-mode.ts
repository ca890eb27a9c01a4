import type { BodyUse } from "../worker/chain.ts";
import type { BodyMode } from "./body-mode.ts";
import type { ConfiguredBodies, ConfiguredBody } from "./wire/decode.ts";
import type { ModeOverride } from "./wire/encode.ts";

/** What Envoy sends of an exchange as things stand: by its own configuration, or by the last override. */
export interface ModesInForce {
  readonly requestBody: ConfiguredBodies["request"];
  readonly responseHeaders: ModeOverride["responseHeaders"];
  readonly responseBody: ConfiguredBodies["response"];
}

/** What the chain can still use once a headers message is answered. */
export type Wants =
  | {
      readonly answered: "request-headers";
      readonly requestBody: Awaited;
      readonly response: boolean;
      readonly responseBody: BodyUse;
      /** The connection is to be of another kind: its bodies have no end of their own. */
      readonly upgrade: boolean;
    }
  | { readonly answered: "response-headers"; readonly responseBody: Awaited };

/** Whether the exchange stands until the whole body of the direction has come. */
export type Awaited = "none" | "whole";

/** Asks Envoy for exactly what the chain can still use; undefined when it does that anyway. */
export function modeOverride(wants: Wants, inForce: ModesInForce): ModeOverride | undefined {
  const modes = wantedModes(wants, inForce);
  const { requestBody, responseHeaders, responseBody } = inForce;
  const same = modes.requestBody === requestBody && modes.responseHeaders === responseHeaders && modes.responseBody === responseBody;
  // A body that is waited for is asked for in any case: nothing that Envoy says shows whether its trailers come too, without which a message of
  // headers and trailers goes on unseen (measured).
  const awaited = wants.answered === "request-headers" ? wants.requestBody : wants.responseBody;
  return same && awaited === "none" ? undefined : modes;
}

function wantedModes(wants: Wants, inForce: ModesInForce): ModeOverride {
  if (wants.answered === "response-headers") {
    // It takes the place of the request's modes too: what is under way must not be switched off (measured).
    const { requestBody, responseHeaders } = inForce;
    return { requestBody: kept(requestBody), responseHeaders, responseBody: asked(wants.responseBody, inForce.responseBody) };
  }
  return {
    requestBody: asked(wants.requestBody, inForce.requestBody),
    responseHeaders: wants.response ? "send" : "skip",
    // What is to come of it is asked for with its headers. One that Envoy would send anyway is not switched off and on again; one that nobody
    // waits for would hang a websocket (measured).
    responseBody: wants.responseBody === "none" ? unread(wants.upgrade, inForce.responseBody) : kept(inForce.responseBody),
  };
}

/**
 * A body is asked for whole or not at all. One in pieces may be under way before the headers are answered: switched off, it would be lost. And it
 * cannot be switched on: a message without data that has come to its end by then (an empty chunked body, or trailers alone) would hang, because
 * Envoy 1.36.2 says nothing more about it (measured).
 */
function asked(awaited: Awaited, inForce: ConfiguredBody): BodyMode {
  if (inForce === "full-duplex-streamed") return inForce;
  return awaited === "whole" ? "buffered" : "none";
}

/**
 * A response's body that no step reads. In pieces it passes as it is, which an Envoy that ignores overrides needs too. Not on an upgraded connection:
 * when its upstream closes, Envoy 1.36.2 drops what is still with the engine, the last words of a websocket (measured). Nothing is under way yet.
 */
function unread(upgrade: boolean, inForce: ConfiguredBody): BodyMode {
  return upgrade ? "none" : asked("none", inForce);
}

const kept = (mode: ConfiguredBody): BodyMode => (mode === "pieces" ? "none" : mode);
