/** The rows of the failure contract (SECURITY.md) and what holds each of them. */
export type Row = { readonly row: string } & (
  | { /** Conversations that cover one of these. */ readonly covers: readonly string[] }
  | { /** The test that holds it, where a conversation cannot. */ readonly heldBy: string }
  | { /** The feature that brings it. */ readonly later: string }
);

export const failureContract: readonly Row[] = [
  {
    row: "a policy throws, rejects, returns nonsense, sets a header that HTTP or the rules forbid",
    covers: ["policy-failed", "mutation-limit", "on-error-skip"],
  },
  { row: "a policy's promise is past its deadline", covers: ["policy-timeout"] },
  { row: "a streamed step fails, is late or aborts while a body passes", covers: ["stream-failed", "stream-aborted"] },
  { row: "a condition fails at run time", covers: ["condition-failed"] },
  { row: "Envoy sent no identity in the way the settings expect", covers: ["identity-missing", "identity-conflict"] },
  { row: "Envoy says that no route matched", covers: ["no-route"] },
  {
    row: "the route is unnamed, or no chain knows its name",
    covers: ["route-unnamed", "route-unknown", "unmatched-pass", "chain-unknown", "chain-conflict"],
  },
  { row: "Envoy does not honour overrides and the chain needs response headers", heldBy: "tests/config/bind.test.ts" },
  { row: "Envoy sends a later part of the response without its headers", covers: ["response-headers-missing"] },
  { row: "the exchange does not start with the request's headers", covers: ["request-headers-missing"] },
  { row: "a message that cannot follow the one before it", covers: ["unexpected-message"] },
  { row: "bytes that are no message, or a fault of the engine itself", covers: ["internal-error"] },
  { row: "a path that is not in normal form", covers: ["path-not-normal"] },
  { row: "a step waits for a body that Envoy does not send", covers: ["body-not-sent"] },
  { row: "a request body is larger than the limit", covers: ["request-too-large"] },
  { row: "a response body is larger than the limit", covers: ["response-too-large"] },
  { row: "a content coding that the engine does not undo", covers: ["request-coding", "response-coding"] },
  { row: "trailers in place of the body that a step waits for", covers: ["body-missing"] },
  { row: "an upgrade on a chain where a body-reading step can still run", covers: ["upgrade-refused"] },
  { row: "a stream of events where a step waits for the whole response", covers: ["stream-refused"] },
  { row: "new configuration is invalid", heldBy: "tests/lifecycle/hot-reload.test.ts" },
  { row: "no valid configuration yet", covers: ["not-ready"] },
  { row: "a provider is away: the last good configuration, also after a restart", later: "providers other than files" },
  { row: "SIGTERM", heldBy: "tests/lifecycle/drain.test.ts" },
  {
    row: "a token's issuer is away, was never reached, or is asked for keys that it does not have",
    heldBy: "tests/policies/jwt/oidc.test.ts",
  },
  { row: "the event loop is further behind than the bound", covers: ["overloaded"] },
  { row: "a worker process dies, hangs, or does not follow a new generation", heldBy: "tests/lifecycle/worker-failures.test.ts" },
  { row: "a configuration that not every worker prepares", heldBy: "tests/lifecycle/worker-failures.test.ts" },
];
