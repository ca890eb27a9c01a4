/** Through a real Envoy: connections of another kind on chains whose steps take bodies in pieces. They have no body that ends. */
import { beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../../../scripts/processes/wait-for.ts";
import { scriptPolicies } from "../../support/script-policy.ts";
import type { Setting } from "../conformance/case.ts";
import { type ConformanceStage, startStageBefore } from "../conformance/conformance-stage.ts";
import { type Asked, openTunnel, type Tunnel } from "./tunnel-client.ts";
import { farewell, greeting, startTunnelUpstream, type TunnelUpstream } from "./tunnel-upstream.ts";

const steps = (onUpgrade: string): string => `
      - { policy: script@1.0.0, name: upper, onUpgrade: ${onUpgrade}, parameters: { streamed: { request: upper, response: upper } } }
      - { policy: script@1.0.0, name: suffix, onUpgrade: ${onUpgrade}, parameters: { streamed: { response: suffix } } }
      - { policy: script@1.0.0, name: marks, parameters: { request: [{ do: set, name: x-marked, value: "yes" }] } }`;
const chains = {
  config: `version: 1
chains:
  refuses:
    steps: ${steps("deny")}
  passes:
    steps: ${steps("skip")}
routes: { refuses: refuses, passes: passes, tunnel-refuses: refuses, tunnel-passes: passes }
`,
  policies: scriptPolicies,
};

const connectTo = (authority: string) => ({
  connect_matcher: {},
  headers: [{ name: ":authority", string_match: { exact: authority } }],
});
const envoy: Setting = {
  matches: { "tunnel-refuses": connectTo("refuses.example:443"), "tunnel-passes": connectTo("passes.example:443") },
  manager: { upgrade_configs: [{ upgrade_type: "websocket" }, { upgrade_type: "CONNECT" }] },
};
const settings: Readonly<Record<string, Setting>> = {
  "modes on the routes": { ...envoy, modes: "printed" },
  "modes on the routes, HTTP/2 to the upstream": { ...envoy, modes: "printed", upstream: "http2" },
  "modes that the engine asks for": { ...envoy, modes: "asked" },
};

const asked = (chain: "refuses" | "passes"): readonly Asked[] => [
  { kind: "websocket", path: `/${chain}` },
  { kind: "connect", authority: `${chain}.example:443` },
];

describe.each(Object.entries(settings))("%s", (_name, setting) => {
  let stage: ConformanceStage<TunnelUpstream>;

  beforeAll(async () => {
    stage = await startStageBefore(setting, () => startTunnelUpstream(setting.upstream ?? "http1"), chains);
    return () => stage.close();
  });

  describe.each(["http1", "http2"] as const)("over %s", (protocol) => {
    test.each(asked("refuses"))("$kind is refused where a step would read what goes over it", async (what) => {
      const before = stage.upstream.requests();
      await stage.engine.exchanges();
      const { status, tunnel } = await openTunnel(protocol, stage.envoy.port, what);
      expect({ status, tunnel }).toEqual({ status: 403, tunnel: undefined });
      expect(stage.upstream.requests()).toBe(before);
      const [exchange] = await stage.engine.exchanges();
      expect(exchange?.saw[0]).toMatch(/^request-headers/);
      expect(exchange?.answers).toContainEqual(expect.objectContaining({ reply: expect.anything() }));
    });

    test.each(asked("passes"))("$kind passes untouched where they say `onUpgrade: skip`, whoever speaks", async (what) => {
      const tunnel = await open(protocol, what);
      let said = "";
      await tunnel.until((text) => text === greeting);
      for (const text of ["ping;", "x", "", "y".repeat(100_000), "pong;", farewell]) {
        tunnel.say(text);
        said += text;
        await tunnel.until((heard) => heard.length >= greeting.length + said.length);
        expect(tunnel.heard() === greeting + said).toBe(true);
      }
      expect(stage.upstream.tunnel().heard === said).toBe(true);
      await tunnel.closed;
      await expectNothingLeft();
    });

    test.each(asked("passes"))("$kind: a client that leaves is noticed", async (what) => {
      const tunnel = await open(protocol, what);
      await tunnel.until((text) => text === greeting);
      tunnel.leave();
      await expectNothingLeft();
    });
  });

  async function open(protocol: "http1" | "http2", what: Asked): Promise<Tunnel> {
    await stage.engine.exchanges();
    const { status, tunnel } = await openTunnel(protocol, stage.envoy.port, what);
    expect(status).toBe(protocol === "http1" && what.kind === "websocket" ? 101 : 200);
    if (tunnel === undefined) throw new Error("there is no tunnel");
    return tunnel;
  }

  async function expectNothingLeft(): Promise<void> {
    await waitFor({ what: "the upstream's tunnel to be closed", timeoutMs: 5_000 }, () =>
      stage.upstream.tunnel().isOpen ? undefined : true,
    );
    expect(await stage.engine.exchanges()).toHaveLength(1);
  }
});
