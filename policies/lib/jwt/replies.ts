import type { Reply } from "@envoy-policy-engine/sdk";
import type { Fault } from "./registered-claims.ts";
import type { Lack } from "./requirements.ts";

/** The answers of RFC 6750 3. What was wrong with a token stands in the log; the client learns only that it is not good. */
export interface Replies {
  /** 401 without an error code: nobody has said yet who the client is. */
  readonly missing: Reply;
  readonly several: Reply;
  invalid(fault: Fault): Reply;
  forbidden(lack: Lack): Reply;
  /** 503: nothing is known about the token. */
  notReady(retryAfterSeconds: number, reason: string): Reply;
}

/** @param realm without quotes and backslashes */
export function createReplies(realm: string): Replies {
  const challenge = (...attributes: readonly string[]) => ({
    "www-authenticate": `Bearer ${[`realm="${realm}"`, ...attributes].join(", ")}`,
  });
  const detail = "a valid access token is required";
  return {
    missing: problem({
      status: 401,
      code: "jwt-missing",
      reason: "no token in any of the configured places",
      detail,
      headers: challenge(),
    }),
    several: problem({
      status: 400,
      code: "jwt-several",
      reason: "more than one token, or more than one line of a header that holds one",
      detail: "more than one access token was sent",
      headers: challenge('error="invalid_request"'),
    }),
    invalid: ({ code, reason }) => problem({ status: 401, code, reason, detail, headers: challenge('error="invalid_token"') }),
    forbidden: (lack) =>
      problem({
        status: 403,
        code: lack.kind === "scopes" ? "jwt-scope-missing" : "jwt-claim-missing",
        reason: lack.kind === "scopes" ? `the token lacks a scope; needed: ${lack.scopes.join(" ")}` : "the token lacks a required claim",
        detail: "the access token does not allow this",
        headers: challenge('error="insufficient_scope"', ...(lack.kind === "scopes" ? [`scope="${lack.scopes.join(" ")}"`] : [])),
      }),
    notReady: (retryAfterSeconds, reason) =>
      problem({
        status: 503,
        code: "jwt-keys-not-ready",
        reason,
        detail: "access tokens cannot be verified at the moment",
        headers: { "retry-after": String(retryAfterSeconds) },
      }),
  };
}

interface ProblemReply {
  readonly status: 400 | 401 | 403 | 503;
  readonly code: string;
  readonly reason: string;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;
}

const titles = { 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable" } as const;

/** Problem details of RFC 9457. */
function problem({ status, code, reason, detail, headers }: ProblemReply): Reply {
  const body = JSON.stringify({ title: titles[status], status, detail });
  return { status, code, reason, headers: { "content-type": "application/problem+json", ...headers }, body };
}
