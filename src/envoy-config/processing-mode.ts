/** Which parts of an exchange Envoy sends, as its `processing_mode` says it. */
import type { EnvoyPromises } from "../config/types.ts";
import { type ChainNeeds, readsBody } from "./demands.ts";

export type HeaderMode = "SEND" | "SKIP";
export type BodyMode = "NONE" | "BUFFERED";

/** All six, because what is left out does not mean the same everywhere. */
export interface ProcessingMode {
  readonly request_header_mode: HeaderMode;
  readonly response_header_mode: HeaderMode;
  readonly request_body_mode: BodyMode;
  readonly response_body_mode: BodyMode;
  readonly request_trailer_mode: HeaderMode;
  readonly response_trailer_mode: HeaderMode;
}

/** For every route that says nothing of its own: the least that the settings promise. */
export function filterMode(promises: EnvoyPromises): ProcessingMode {
  return modeFor({ requestBody: "none", responseHeaders: false, responseBody: "none" }, promises);
}

/** For the routes of a chain. Undefined where the filter's own mode does: only bodies must be asked for before the chain runs. */
export function routeMode(needs: ChainNeeds, promises: EnvoyPromises): ProcessingMode | undefined {
  return readsBody(needs) ? modeFor(needs, promises) : undefined;
}

/** A body comes with its direction's trailers: with trailers and no data Envoy would send neither, and the request would go on. */
function modeFor({ requestBody, responseHeaders, responseBody }: ChainNeeds, promises: EnvoyPromises): ProcessingMode {
  const send = (wanted: boolean): HeaderMode => (wanted ? "SEND" : "SKIP");
  const body = (need: "none" | "buffered"): BodyMode => (need === "buffered" ? "BUFFERED" : "NONE");
  return {
    request_header_mode: "SEND",
    response_header_mode: send(responseHeaders || responseBody === "buffered" || promises.responseHeaders === "sent"),
    request_body_mode: body(requestBody),
    response_body_mode: body(responseBody),
    request_trailer_mode: send(requestBody === "buffered"),
    response_trailer_mode: send(responseBody === "buffered"),
  };
}
