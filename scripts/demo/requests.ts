import type { ClientRequest } from "../processes/send.ts";
import type { DemoIssuer } from "./demo-issuer.ts";

/** One request of the demo and what must come of it. */
export interface DemoRequest {
  /** What it shows. */
  readonly title: string;
  readonly request: DemoClientRequest;
  readonly status: number;
  /** Headers of the answer; undefined means absent. */
  readonly answer?: ExpectedHeaders;
  /** What the upstream must have seen; undefined when nothing may have reached it. */
  readonly upstream: { readonly path?: string; readonly headers?: ExpectedHeaders } | undefined;
  /** What the steps of the chain must have done, as `stepsText` writes it. */
  readonly steps: string;
}

export interface DemoClientRequest extends ClientRequest {
  readonly headers?: Readonly<Record<string, string>>;
}

export type ExpectedHeaders = Readonly<Record<string, string | undefined>>;

/** Their SHA-256 digests are in `configs/demo/policies.yaml`. Alice may read and write, bob may read, carol's key has expired. */
export const demoKeys = { alice: "demo-alice-key", bob: "demo-bob-key", carol: "demo-carol-key" } as const;

/** @param issuer the one whose key the engine knows */
export function demoRequests(issuer: DemoIssuer): readonly DemoRequest[] {
  return [...withKeys, ...withTokens(issuer), ...others];
}

const withKeys: readonly DemoRequest[] = [
  {
    title: "a valid key",
    request: { path: "/orders/1", headers: { "x-api-key": demoKeys.alice } },
    status: 200,
    answer: { "cache-control": "private", "x-powered-by": undefined },
    upstream: { headers: { "x-user": "alice", "x-api-key": undefined, "x-trace-level": undefined } },
    steps: "auth ran → authorize ran → identity ran → debug skipped ← identity ran",
  },
  {
    title: "the same, and x-debug makes a condition true",
    request: { path: "/orders/1", headers: { "x-api-key": demoKeys.alice, "x-debug": "1" } },
    status: 200,
    upstream: { headers: { "x-user": "alice", "x-trace-level": "full" } },
    steps: "auth ran → authorize ran → identity ran → debug ran ← identity ran",
  },
  {
    title: "a header that only the engine may set",
    request: { path: "/orders/1", headers: { "x-api-key": demoKeys.bob, "x-user": "alice" } },
    status: 200,
    upstream: { headers: { "x-user": "bob" } },
    steps: "auth ran → authorize ran → identity ran → debug skipped ← identity ran",
  },
  {
    title: "a key in the query",
    request: { path: `/orders?api_key=${demoKeys.bob}&page=2` },
    status: 200,
    upstream: { path: "/orders?page=2", headers: { "x-user": "bob" } },
    steps: "auth ran → authorize ran → identity ran → debug skipped ← identity ran",
  },
  {
    title: "no key",
    request: { path: "/orders/1" },
    status: 401,
    answer: { "www-authenticate": 'ApiKey realm="api"' },
    upstream: undefined,
    steps: "auth replied 401 api-key-missing",
  },
  {
    title: "a key that nobody has",
    request: { path: "/orders/1", headers: { "x-api-key": "demo-mallory-key" } },
    status: 401,
    upstream: undefined,
    steps: "auth replied 401 api-key-unknown",
  },
  {
    title: "a key that has expired",
    request: { path: "/orders/1", headers: { "x-api-key": demoKeys.carol } },
    status: 401,
    upstream: undefined,
    steps: "auth replied 401 api-key-expired",
  },
  {
    title: "a valid key that may only read",
    request: { method: "POST", path: "/orders", headers: { "x-api-key": demoKeys.bob }, body: "{}" },
    status: 403,
    upstream: undefined,
    steps: "auth ran → authorize replied 403 no-rule-matched",
  },
];

const withTokens = ({ token }: DemoIssuer): readonly DemoRequest[] => [
  {
    title: "a good token, for jwt-validation 1.0.0",
    request: { path: "/reports/1", headers: { ...bearer(token()), "x-user": "mallory" } },
    status: 200,
    upstream: { headers: { "x-user": "alice", authorization: undefined } },
    steps: "auth ran",
  },
  {
    title: "no token",
    request: { path: "/reports/1" },
    status: 401,
    answer: { "www-authenticate": 'Bearer realm="api"' },
    upstream: undefined,
    steps: "auth replied 401 jwt-missing",
  },
  {
    title: "a token that has expired",
    request: { path: "/reports/1", headers: bearer(token({ exp: 1 })) },
    status: 401,
    answer: { "www-authenticate": 'Bearer realm="api", error="invalid_token"' },
    upstream: undefined,
    steps: "auth replied 401 jwt-expired",
  },
  {
    title: "a token for somebody else",
    request: { path: "/reports/1", headers: bearer(token({ aud: "other-api" })) },
    status: 401,
    upstream: undefined,
    steps: "auth replied 401 jwt-audience-wrong",
  },
  {
    title: "a good token, for jwt-validation 2.0.0",
    request: { path: "/invoices/1", headers: { ...bearer(token()), "x-groups": "admins" } },
    status: 200,
    upstream: { headers: { "x-user": "alice", "x-groups": "staff", "x-auth": "jwt alice", authorization: undefined } },
    steps: "auth ran → trace ran",
  },
  {
    title: "the same in a cookie",
    request: { path: "/invoices/1", headers: { cookie: `theme=dark; access_token=${token()}` } },
    status: 200,
    upstream: { headers: { "x-user": "alice", cookie: "theme=dark" } },
    steps: "auth ran → trace ran",
  },
  {
    title: "two tokens in one request",
    request: { path: "/invoices/1", headers: { ...bearer(token()), cookie: `access_token=${token()}` } },
    status: 400,
    upstream: undefined,
    steps: "auth replied 400 jwt-several",
  },
  {
    title: "a token that has expired",
    request: { path: "/invoices/1", headers: bearer(token({ exp: 1 })) },
    status: 401,
    upstream: undefined,
    steps: "auth replied 401 jwt-expired",
  },
  {
    title: "a token for somebody else",
    request: { path: "/invoices/1", headers: bearer(token({ aud: ["other-api"] })) },
    status: 401,
    upstream: undefined,
    steps: "auth replied 401 jwt-audience-wrong",
  },
  {
    title: "a good token without the scope",
    request: { path: "/invoices/1", headers: bearer(token({ scope: "reports.read" })) },
    status: 403,
    answer: { "www-authenticate": 'Bearer realm="api", error="insufficient_scope", scope="invoices.read"' },
    upstream: undefined,
    steps: "auth replied 403 jwt-scope-missing",
  },
];

const others: readonly DemoRequest[] = [
  {
    title: "one version of a policy: an empty header",
    request: { path: "/v1/catalogue" },
    status: 200,
    upstream: { headers: { "x-set-by": "set-header 1.0.0", "x-tier": "" } },
    steps: "set-header ran",
  },
  {
    title: "another version on another route: no header",
    request: { path: "/v2/catalogue" },
    status: 200,
    upstream: { headers: { "x-set-by": "set-header 2.0.0", "x-tier": undefined } },
    steps: "set-header ran",
  },
  { title: "a route whose chain is empty", request: { path: "/health" }, status: 200, upstream: {}, steps: "no chain" },
  {
    title: "a route that no chain knows",
    request: { path: "/forgotten" },
    status: 500,
    upstream: undefined,
    steps: "no chain ⇒ 500 route-unknown",
  },
  {
    title: "a path that no route takes",
    request: { path: "/nowhere" },
    status: 404,
    upstream: undefined,
    steps: "no chain ⇒ 404 no-route",
  },
];

function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}
