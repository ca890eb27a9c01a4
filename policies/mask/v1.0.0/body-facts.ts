import type { ReadonlyHeaders, ReadonlyRequest, Response } from "@envoy-policy-engine/sdk";

/** What the headers of a message say about its body. */
export interface BodyFacts {
  readonly contentTypes: readonly string[];
  /** What the headers announce. `possible` also where they announce none: an upstream may send one all the same, and a step may have set one. */
  readonly presence: "sure" | "possible";
  /** Whether it is all of the content, a part of it, or several parts, whose type the headers do not tell. */
  readonly extent: "whole" | "part" | "parts";
}

/** Methods that rarely have a body, so that a content type alone says little. */
const rarelyWithBody: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);

export function requestFacts({ method, headers }: ReadonlyRequest): BodyFacts {
  const presence = lengthPresence(headers) ?? (headers.has("content-type") && !rarelyWithBody.has(method) ? "sure" : "possible");
  const contentTypes = headers.getAll("content-type");
  return { contentTypes, presence, extent: extentOf(contentTypes, headers.has("content-range")) };
}

export function responseFacts({ method }: ReadonlyRequest, { headers, status, origin }: Response): BodyFacts {
  const contentTypes = headers.getAll("content-type");
  return {
    // Envoy calls a reply text when nobody has said what it is.
    contentTypes: contentTypes.length === 0 && origin === "reply" ? ["text/plain"] : contentTypes,
    presence: responsePresence(method, status, headers),
    extent: extentOf(contentTypes, status === 206 || headers.has("content-range")),
  };
}

/** RFC 9110 14.6: a client that asks for several ranges gets `multipart/byteranges`, and each part says for itself what it is. */
function extentOf(contentTypes: readonly string[], isPart: boolean): BodyFacts["extent"] {
  if (contentTypes.some((contentType) => /multipart\/byteranges/i.test(contentType))) return "parts";
  return isPart ? "part" : "whole";
}

function responsePresence(method: string, status: number, headers: ReadonlyHeaders): BodyFacts["presence"] {
  // RFC 9110 6.4.1. The headers of a response to HEAD are those of a response to GET.
  if (method === "HEAD" || status === 204 || status === 304) return "possible";
  return lengthPresence(headers) ?? (headers.has("content-type") ? "sure" : "possible");
}

/** Undefined without a length, as of a chunked body: Envoy shows no `transfer-encoding`. */
function lengthPresence(headers: ReadonlyHeaders): BodyFacts["presence"] | undefined {
  const length = headers.get("content-length");
  return length === undefined ? undefined : Number(length) === 0 ? "possible" : "sure";
}
