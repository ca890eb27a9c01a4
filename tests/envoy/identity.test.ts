/** Which chain runs: what a real Envoy says about its routes, and what a client can do about it (nothing). */
import { beforeAll, describe, expect, test } from "vitest";
import { type Data, replaceAt } from "../../scripts/processes/data.ts";
import { envoyPlaces } from "../../scripts/processes/envoy-bootstrap.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { readMetrics } from "../support/admin.ts";
import { startTestStage, transportUnderTest } from "../support/test-stage.ts";

const policies = `
version: 1
chains:
  stamped: { steps: [{ policy: set-header@1, parameters: { request: [{ name: x-chain, set: stamped }] } }] }
  other: { steps: [{ policy: set-header@1, parameters: { request: [{ name: x-chain, set: other }] } }] }
  locked: { steps: [{ policy: authorize@1, parameters: { rules: [] } }] }
routes:
  by-prefix: stamped
  grüße: stamped
  a name, "with" 100%: stamped
  locked: locked
  conflicting: stamped
  open: []
`;

const own = (chain: string): Data => ({ filter_metadata: { "policy.engine": { chain } } });
const to = (path: string, rest: { readonly [key: string]: Data }): Data => ({
  match: { path_separated_prefix: path },
  route: { cluster: "upstream" },
  ...rest,
});

const routes: Data = [
  { name: "by-prefix", match: { prefix: "/prefix" }, route: { cluster: "upstream" } },
  to("/non-ascii", { name: "grüße" }),
  to("/odd", { name: 'a name, "with" 100%' }),
  to("/locked", { name: "locked" }),
  to("/open", { name: "open" }),
  to("/unnamed", {}),
  to("/unnamed-own", { metadata: own("other") }),
  to("/own", { name: "not in the configuration", metadata: own("other") }),
  to("/conflicting", { name: "conflicting", metadata: own("other") }),
  to("/own-unknown", { name: "neither", metadata: own("nowhere") }),
];

const withRoutes = (bootstrap: Data): Data => replaceAt(bootstrap, envoyPlaces.routes, routes);

let stage: Stage;

beforeAll(async () => {
  stage = await startTestStage({ policies, bootstrap: withRoutes });
  return () => stage.close();
});

describe("the chain of a route", () => {
  test.each([
    ["a route that matches by prefix", "/prefix/and/more?x=1", "stamped"],
    ["a route whose name has blanks, commas, quotes and a percent sign", "/odd", "stamped"],
    ["a route that names its chain in its own metadata", "/own", "other"],
    ["an unnamed route that names its chain in its own metadata", "/unnamed-own", "other"],
    ["a route with the empty chain", "/open", undefined],
  ])("%s", async (_what, path, chain) => {
    const { status, body } = await send(stage.envoy.port, { path });
    expect([status, body]).toEqual([200, expect.any(String)]);
    expect(chainSeen(body)).toBe(chain);
  });

  test.each([
    ["no route", "/nowhere", 404, "no-route"],
    ["an unnamed route", "/unnamed", 500, "route-unnamed"],
    ["a route whose own metadata names another chain", "/conflicting", 500, "chain-conflict"],
    ["a route whose own metadata names a chain that is not there", "/own-unknown", 500, "chain-unknown"],
  ])("%s is denied, counted by its code, and does not reach the upstream", async (_what, path, status, code) => {
    const before = stage.upstream.requests.length;
    const counted = async (): Promise<number> => (await readMetrics(stage.engine))(`policy_engine_failures_total{code="${code}"}`);
    const countedBefore = await counted();
    const answer = await send(stage.envoy.port, { path });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([status, expect.objectContaining({ status, code })]);
    expect(valuesOf(answer.headers, "content-type")).toEqual(["application/problem+json"]);
    expect(stage.upstream.requests).toHaveLength(before);
    expect(await counted()).toBe(countedBefore + 1);
  });
});

describe("a route whose name is not ASCII", () => {
  test("is known where the name comes as metadata too, unless @grpc/grpc-js drops it for not being ASCII", async () => {
    const { status, body } = await send(stage.envoy.port, { path: "/non-ascii" });
    if (transportUnderTest() === "native") expect([status, chainSeen(body)]).toEqual([200, "stamped"]);
    else expect([status, JSON.parse(body)]).toEqual([500, expect.objectContaining({ code: "identity-missing" })]);
  });

  test("is known by its attribute", async () => {
    const other = await startTestStage({
      policies,
      bootstrap: withRoutes,
      settings: (settings) => replaceAt(settings, ["envoy", "identity"], "attributes"),
    });
    try {
      const { status, body } = await send(other.envoy.port, { path: "/non-ascii" });
      expect([status, chainSeen(body)]).toEqual([200, "stamped"]);
    } finally {
      await other.close();
    }
  });
});

describe("what a client sends does not choose the chain", () => {
  test.each([
    ["x-route", "r:open"],
    ["x-route", "r:by-prefix"],
    ["x-policy-chain", "stamped"],
    ["x-envoy-original-path", "/open"],
  ])("%s: %s", async (name, value) => {
    expect((await send(stage.envoy.port, { path: "/locked", headers: { [name]: value } })).status).toBe(403);
    expect((await send(stage.envoy.port, { path: "/unnamed", headers: { [name]: value } })).status).toBe(500);
    expect((await send(stage.envoy.port, { path: "/nowhere", headers: { [name]: value } })).status).toBe(404);
  });

  test.each(["/open/../locked", "/open/..%2flocked", "//locked", "/open/%2e%2e/locked", "/open/.%2e/locked"])("%s", async (path) => {
    const before = stage.upstream.requests.length;
    const { status } = await send(stage.envoy.port, { path });
    expect([307, 400, 403, 404]).toContain(status);
    expect(stage.upstream.requests).toHaveLength(before);
  });
});

describe("an Envoy that does not bring paths into normal form", () => {
  test("the engine refuses those paths, as nobody knows what the upstream makes of them", async () => {
    const asIs = { normalize_path: false, merge_slashes: false, path_with_escaped_slashes_action: "KEEP_UNCHANGED" };
    const other = await startTestStage({
      policies,
      bootstrap: (bootstrap) =>
        Object.entries(asIs).reduce(
          (data, [key, value]) => replaceAt(data, [...envoyPlaces.connectionManager, key], value),
          withRoutes(bootstrap),
        ),
    });
    try {
      for (const path of ["/prefix/../locked", "/prefix/..%2flocked", "/prefix//locked", "/prefix/%2e%2e/locked", "/prefix\\..\\locked"]) {
        const { status, body } = await send(other.envoy.port, { path });
        expect([path, status, JSON.parse(body)]).toEqual([path, 400, expect.objectContaining({ code: "path-not-normal" })]);
      }
      expect((await send(other.envoy.port, { path: "/prefix/locked" })).status).toBe(200);
    } finally {
      await other.close();
    }
  });
});

describe("an Envoy that does not say what the settings expect", () => {
  test.each<[string, string, Data, string]>([
    ["without request_attributes", "request_attributes", [], "identity-missing"],
    ["without initial_metadata", "grpc_service.initial_metadata", [], "identity-missing"],
    ["with two answers", "grpc_service.initial_metadata", [{ key: "x-route", value: "r:elsewhere" }], "identity-conflict"],
  ])("%s everything is denied, and counted", async (_what, key, value, code) => {
    const way = [...envoyPlaces.extProc, ...key.split(".")];
    const other = await startTestStage({ policies, bootstrap: (bootstrap) => replaceAt(withRoutes(bootstrap), way, value) });
    try {
      for (const path of ["/open", "/prefix", "/nowhere"]) {
        const { status, body } = await send(other.envoy.port, { path });
        expect([path, status, JSON.parse(body)]).toEqual([path, 500, expect.objectContaining({ code })]);
      }
      expect(other.upstream.requests).toEqual([]);
      expect((await readMetrics(other.engine))(`policy_engine_failures_total{code="${code}"}`)).toBe(3);
    } finally {
      await other.close();
    }
  });
});

function chainSeen(body: string): string | undefined {
  const seen: { readonly headers: readonly (readonly [string, string])[] } = JSON.parse(body);
  return valuesOf(seen.headers, "x-chain")[0];
}
