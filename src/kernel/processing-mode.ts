import type { BodyUse } from "../worker/chain.ts";
import { type BodyMode, bodyMode } from "./body-mode.ts";
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
  | { readonly answered: "request-headers"; readonly requestBody: BodyUse; readonly response: boolean; readonly responseBody: BodyUse }
  | { readonly answered: "response-headers"; readonly responseBody: BodyUse };

/** Asks Envoy for exactly what the chain can still use; undefined when it does that anyway. */
export function modeOverride(wants: Wants, inForce: ModesInForce): ModeOverride | undefined {
  const modes = wantedModes(wants, inForce);
  const { requestBody, responseHeaders, responseBody } = inForce;
  const same = modes.requestBody === requestBody && modes.responseHeaders === responseHeaders && modes.responseBody === responseBody;
  // A whole body that is waited for is asked for in any case: nothing that Envoy says shows whether its trailers come too, without which a message
  // of headers and trailers goes on unseen (measured). In pieces Envoy takes none without trailers.
  const awaited = wants.answered === "request-headers" ? wants.requestBody : wants.responseBody;
  return same && awaited !== "buffered" ? undefined : modes;
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
    responseBody: wants.responseBody === "none" ? asked("none", inForce.responseBody) : kept(inForce.responseBody),
  };
}

/** In pieces it may be under way before the headers are answered: switched off, they would be lost. */
function asked(use: BodyUse, inForce: ConfiguredBody): BodyMode {
  if (inForce === "full-duplex-streamed") return inForce;
  return use === "streamed" && inForce === "buffered" ? inForce : bodyMode(use);
}

const kept = (mode: ConfiguredBody): BodyMode => (mode === "pieces" ? "none" : mode);
