import type { ReadonlyHeaders, ReadonlyRequest, Response } from "@envoy-policy-engine/sdk";

/** What the headers of a message say about its body. */
export interface BodyFacts {
  readonly contentTypes: readonly string[];
  /** `possible`: the headers do not tell. */
  readonly presence: "sure" | "possible" | "none";
  /** Whether it is all of the content or a part of it. */
  readonly extent: "whole" | "part";
}

/** Methods that rarely have a body, so that a content type alone says little. */
const rarelyWithBody: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);

export function requestFacts({ method, headers }: ReadonlyRequest): BodyFacts {
  const presence = lengthPresence(headers) ?? (headers.has("content-type") && !rarelyWithBody.has(method) ? "sure" : "possible");
  return { contentTypes: headers.getAll("content-type"), presence, extent: headers.has("content-range") ? "part" : "whole" };
}

export function responseFacts({ method }: ReadonlyRequest, { headers, status, origin }: Response): BodyFacts {
  const contentTypes = headers.getAll("content-type");
  return {
    // Envoy calls a reply text when nobody has said what it is.
    contentTypes: contentTypes.length === 0 && origin === "reply" ? ["text/plain"] : contentTypes,
    presence: responsePresence(method, status, headers),
    extent: status === 206 || headers.has("content-range") ? "part" : "whole",
  };
}

function responsePresence(method: string, status: number, headers: ReadonlyHeaders): BodyFacts["presence"] {
  // RFC 9110 6.4.1. The headers of a response to HEAD are those of a response to GET.
  if (status === 204 || status === 304) return "none";
  if (method === "HEAD") return "possible";
  return lengthPresence(headers) ?? (headers.has("content-type") ? "sure" : "possible");
}

/** Undefined without a length, as of a chunked body: Envoy shows no `transfer-encoding`. */
function lengthPresence(headers: ReadonlyHeaders): "sure" | "none" | undefined {
  const length = headers.get("content-length");
  return length === undefined ? undefined : Number(length) === 0 ? "none" : "sure";
}
