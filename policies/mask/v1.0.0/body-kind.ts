/** How a body is masked. */
export type BodyKind = "json" | "json-lines" | "events" | "text";

/** The kind of a body by its content type (RFC 9110 8.3); undefined when it cannot be masked, or there is not exactly one content type. */
export function bodyKind(contentTypes: readonly string[]): BodyKind | undefined {
  const [contentType = "", another] = contentTypes;
  if (another !== undefined) return undefined;
  const [, type = "", parameters = ""] = /^[ \t]*([^;, \t]+)[ \t]*(;[^,]*)?$/.exec(contentType.toLowerCase()) ?? [];
  return isUtf8(parameters) ? kindOf(type) : undefined;
}

function kindOf(type: string): BodyKind | undefined {
  // Before JSON: `application/stream+json` is one document a line.
  if (jsonLines.has(type)) return "json-lines";
  if (type === "text/event-stream") return "events";
  if (type === "application/json" || type === "text/json" || type.endsWith("+json")) return "json";
  if (type.startsWith("text/") || type === "application/xml" || type.endsWith("+xml")) return "text";
  return undefined;
}

/** None of these is registered; these are the names that are in use. */
const jsonLines: ReadonlySet<string> = new Set([
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
  "application/x-jsonlines",
  "application/jsonlines",
  "application/stream+json",
]);

/**
 * Without a `charset` everything is read as UTF-8, and what is none ends the exchange. One that is not clearly a parameter by itself may be one to
 * somebody else (`charset="utf-16"x` is to browsers), and so it is another one.
 */
function isUtf8(parameters: string): boolean {
  const rest = parameters.replaceAll(/;[ \t]*charset[ \t]*=[ \t]*(?:"(?:utf-?8|us-ascii)"|utf-?8|us-ascii)[ \t]*(?=;|$)/g, "");
  return !rest.includes("charset");
}
