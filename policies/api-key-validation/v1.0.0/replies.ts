import type { Reply } from "@envoy-policy-engine/sdk";

/**
 * 401, the same for every cause, so that nobody learns whether a key was ever known. RFC 9110 11.6.1 demands a challenge. Its scheme is
 * `ApiKey`: none is registered for keys, and a client would take `Basic` for a login dialog and `Bearer` for OAuth 2.0 (RFC 6750).
 */
export function unauthorized(realm: string, code: string, reason: string): Reply {
  const { headers, body } = problem(401, "Unauthorized", "a valid API key is required");
  return { status: 401, code, reason, headers: { ...headers, "www-authenticate": `ApiKey realm="${realm}"` }, body };
}

/** 403: the key is good, but not for this. */
export function forbidden(reason: string): Reply {
  return { status: 403, code: "api-key-scope-missing", reason, ...problem(403, "Forbidden", "the API key does not allow this") };
}

/** 400: taking the first or the last would let a request mean one caller here and another one upstream. */
export function severalKeys(): Reply {
  const reason = "more than one API key in the configured places";
  return { status: 400, code: "api-key-several", reason, ...problem(400, "Bad Request", "more than one API key was sent") };
}

/** Problem details of RFC 9457. */
function problem(status: number, title: string, detail: string): { readonly headers: Record<string, string>; readonly body: string } {
  return { headers: { "content-type": "application/problem+json" }, body: JSON.stringify({ title, status, detail }) };
}
