/**
 * `explain --what-if` with the demo's requests: exactly those that a change of the configuration touches differ, and what is shown of them is the
 * change. All that is printed is in the golden beside it.
 */
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { createDemoIssuer } from "../../scripts/demo/demo-issuer.ts";
import { demoRequests } from "../../scripts/demo/requests.ts";
import { demoConfig } from "../../scripts/processes/demo-configs.ts";
import type { ComparedExchange } from "../../src/explain/compare-explained.ts";
import { expectGolden } from "../config/goldens.ts";
import { fileWith, runCli } from "./run-cli.ts";

/** By the name of the golden: what is replaced by what, and the requests that differ then. */
const changes: Readonly<Record<string, { readonly from: string; readonly to: string; readonly differ: readonly string[] }>> = {
  nothing: { from: "version: 1", to: "# The same, said otherwise.\nversion: 1", differ: [] },
  "response-header": {
    from: "value: private",
    to: "value: no-store",
    differ: ["a valid key", "the same, and x-debug makes a condition true", "a header that only the engine may set", "a key in the query"],
  },
  "who-may-write": { from: '["GET", "HEAD"]', to: '["GET", "HEAD", "POST"]', differ: ["a valid key that may only read"] },
  "condition-of-a-step": { from: '== "1"', to: '== "2"', differ: ["the same, and x-debug makes a condition true"] },
  audience: {
    from: "audience: demo-api",
    to: "audience: other-api",
    differ: ["a good token, for jwt-validation 1.0.0", "1: a token that has expired", "1: a token for somebody else"],
  },
  "one-step-more": {
    from: "  catalogue-v2:\n    steps:\n",
    to: "  catalogue-v2:\n    steps:\n      - { policy: set-header@2, name: first, parameters: { request: [{ set: { name: a-first, value: b } }] } }\n",
    differ: ["another version on another route: no header"],
  },
  "a-chain-for-a-route": { from: "  health: []", to: "  health: []\n  forgotten: catalogue-v2", differ: ["a route that no chain knows"] },
  "a-key-less": {
    from: "digest: e333787ace7ad5caeecbf0a3e6fe4fab78f03d12a1e10ca304a70bcb0591d23e",
    to: `digest: ${"0a".repeat(32)}`,
    differ: ["a header that only the engine may set", "a key in the query", "a valid key that may only read"],
  },
};

const issuer = createDemoIssuer();
let policies: string;
let requests: string;
let names: readonly string[];

beforeAll(async () => {
  policies = await issuer.policies();
  const envoy = await demoConfig("envoy.yaml");
  const routes = [...envoy.matchAll(/name: ([\w-]+), match: \{ path(?:_separated_prefix)?: (\S+) \}/g)];
  const recorded = demoRequests(issuer).flatMap(({ title, request: { method = "GET", path, headers = {}, body } }) => {
    const route = routes.find(([, , prefix = "none"]) => path.startsWith(prefix))?.[1];
    // Two titles are there for both versions of jwt-validation.
    const name = path.startsWith("/reports/") && title.startsWith("a token") ? `1: ${title}` : title;
    const request = { method, path, headers, ...(body === undefined ? {} : { body }) };
    const response = { headers: { "x-powered-by": "the upstream" } };
    return route === undefined ? [] : [{ name, route, now: new Date().toISOString(), request, response }];
  });
  // Of the path that no route takes there is no route to name.
  expect(recorded).toHaveLength(demoRequests(issuer).length - 1);
  names = recorded.map(({ name }) => name);
  requests = JSON.stringify(recorded);
});

test.for(Object.entries(changes))("%s", ([name, { from, to, differ }]) => {
  expect(policies.split(from).length, "the demo's configuration says it once").toBe(2);
  const args = ["--config", fileWith(policies), "--what-if", fileWith(policies.replace(from, to)), "--request", fileWith(requests)];
  const { status, stdout, stderr } = runCli("explain", ...args, "--json");
  expect([status, stderr]).toEqual([0, ""]);
  const { exchanges }: { readonly exchanges: readonly ComparedExchange[] } = JSON.parse(stdout);
  expect(exchanges.map((one) => one.name)).toEqual(names);
  expect(exchanges.filter(({ differences }) => differences.length > 0).map((one) => one.name)).toEqual(differ);
  expectGolden(join(import.meta.dirname, "what-if", `${name}.golden.txt`), runCli("explain", ...args).stdout);
});
