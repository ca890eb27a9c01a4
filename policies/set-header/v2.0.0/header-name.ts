/**
 * Returns the name in lower case. Throws when no policy may change a header of this name: the engine would refuse it in every exchange,
 * so it is found when the configuration is loaded. The schema has already proven that it is a token (RFC 9110 5.6.2).
 */
export function changeableName(name: string): string {
  const lower = name.toLowerCase();
  if (lower === "host") {
    throw new Error("the header `host` is the request's authority and cannot be changed as a header: use Envoy's host rewrite");
  }
  if (isReserved(lower)) {
    throw new Error(`the header \`${lower}\` belongs to Envoy and the engine and cannot be changed: choose another name`);
  }
  return lower;
}

/** Whether a lower-case name is Envoy's or the engine's. */
export function isReserved(name: string): boolean {
  return reserved.test(name);
}

// Hop-by-hop names (RFC 9110 7.6.1) and message framing: a wrong one is request smuggling. The rest is what the engine itself writes.
const reserved =
  /^(?:connection|content-length|expect|host|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|x-decision-id|x-envoy.*)$/;
