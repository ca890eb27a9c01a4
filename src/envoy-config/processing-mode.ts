/** Which parts of an exchange Envoy sends, as its `processing_mode` says it. */
import type { EnvoyPromises } from "../config/types.ts";
import { type BodyMode, bodyMode } from "../kernel/body-mode.ts";
import type { ChainNeeds } from "./demands.ts";

export type HeaderMode = "SEND" | "SKIP";
export type EnvoyBodyMode = "NONE" | "BUFFERED" | "FULL_DUPLEX_STREAMED";

/** All six, because what is left out does not mean the same everywhere. */
export interface ProcessingMode {
  readonly request_header_mode: HeaderMode;
  readonly response_header_mode: HeaderMode;
  readonly request_body_mode: EnvoyBodyMode;
  readonly response_body_mode: EnvoyBodyMode;
  readonly request_trailer_mode: HeaderMode;
  readonly response_trailer_mode: HeaderMode;
}

/** For every route that says nothing of its own: the least that the settings promise. */
export function filterMode(promises: EnvoyPromises): ProcessingMode {
  return modeFor({ requestBody: "none", responseHeaders: false, responseBody: "none" }, promises);
}

/** For the routes of a chain. Undefined where the filter's own mode does: only bodies must be asked for before the chain runs. */
export function routeMode(needs: ChainNeeds, promises: EnvoyPromises): ProcessingMode | undefined {
  return needs.requestBody === "none" && needs.responseBody === "none" ? undefined : modeFor(needs, promises);
}

/** A body mode as Envoy's configuration writes it. */
export function envoyBodyMode(mode: BodyMode): EnvoyBodyMode {
  switch (mode) {
    case "none":
      return "NONE";
    case "buffered":
      return "BUFFERED";
    case "full-duplex-streamed":
      return "FULL_DUPLEX_STREAMED";
    default:
      return mode satisfies never;
  }
}

/**
 * A body comes with its direction's trailers: with trailers and no data Envoy would send neither and the request would go on, and a body in pieces
 * is refused without them.
 */
function modeFor({ requestBody, responseHeaders, responseBody }: ChainNeeds, promises: EnvoyPromises): ProcessingMode {
  const send = (wanted: boolean): HeaderMode => (wanted ? "SEND" : "SKIP");
  return {
    request_header_mode: "SEND",
    response_header_mode: send(responseHeaders || responseBody !== "none" || promises.responseHeaders === "sent"),
    request_body_mode: envoyBodyMode(bodyMode(requestBody)),
    response_body_mode: envoyBodyMode(bodyMode(responseBody)),
    request_trailer_mode: send(requestBody !== "none"),
    response_trailer_mode: send(responseBody !== "none"),
  };
}
