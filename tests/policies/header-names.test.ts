import { describe, expect, test } from "vitest";
import { bindPlaces } from "../../policies/lib/credential-places/places.ts";
import { bindClaimHeaders } from "../../policies/lib/jwt/claim-headers.ts";
import { changeableName as changeableName1 } from "../../policies/set-header/v1.0.0/header-name.ts";
import { changeableName as changeableName2 } from "../../policies/set-header/v2.0.0/header-name.ts";
import { changeableHeaderName } from "../../src/worker/header-rules.ts";

// A policy cannot ask the engine which names it may change, so it has a list of its own: they must not drift apart.
const names = [
  ...["accept", "authorization", "content-encoding", "content-type", "set-cookie", "vary", "x-api-key", "x-user", "X-Tenant"],
  ...[
    "x-envoy",
    "x-envoyage",
    "my-x-envoy-a",
    "hosts",
    "x-host",
    "ted",
    "x-te",
    "upgrade-insecure-requests",
    "x-decision-ids",
    "expect-ct",
  ],
  ...["host", "Host", "connection", "content-length", "Content-Length", "expect", "keep-alive", "proxy-connection", "te", "TE", "trailer"],
  ...["transfer-encoding", "Transfer-Encoding", "upgrade", "x-decision-id", "x-envoy-original-path", "X-Envoy-Peer-Metadata", "x-envoy-"],
];

const policies: readonly (readonly [policy: string, bind: (name: string) => unknown])[] = [
  ["set-header@1.0.0", changeableName1],
  ["set-header@2.0.0", changeableName2],
  ["jwt-validation", (name) => bindClaimHeaders([{ claim: "sub", header: name }])],
  ["api-key-validation@1.0.0", (name) => bindPlaces([{ in: "header", name }])],
];

describe.each(policies)("%s takes at load the header names that the engine takes at run time", (policy, bind) => {
  // What holds the client's credentials is the one thing that jwt-validation leaves alone besides.
  test.each(names.filter((name) => policy !== "jwt-validation" || name !== "authorization"))("%s", (name) => {
    expect(throws(() => bind(name))).toBe(throws(() => changeableHeaderName(name)));
  });
});

// Envoy refuses a mutation of any name that starts so, whatever follows.
test.each(["x-envoy", "x-envoyage", "X-Envoy-Peer-Metadata"])("the engine refuses %s", (name) => {
  expect(throws(() => changeableHeaderName(name))).toBe(true);
});

function throws(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}
