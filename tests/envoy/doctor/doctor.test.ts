/** `policy-engine doctor` finds each of the misconfigurations in `cases.yaml` on a real Envoy that has it, and nothing on the printed one. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { root } from "../../../scripts/cache.mjs";
import { type Data, replaceAt } from "../../../scripts/processes/data.ts";
import { envoyPlaces } from "../../../scripts/processes/envoy-bootstrap.ts";
import { send } from "../../../scripts/processes/send.ts";
import type { Envoy } from "../../../scripts/processes/start-envoy.ts";
import { waitFor } from "../../../scripts/processes/wait-for.ts";
import type { RoutingMutation } from "../../../src/config/types.ts";
import type { Patient } from "../../../src/doctor/diagnose.ts";
import { type DoctorStage, examine, startDoctorStage, withMutations } from "./doctor-stage.ts";
import { inParts, type Parts } from "./in-parts.ts";

interface Case {
  readonly name: string;
  readonly edits: Readonly<Record<string, string>>;
  readonly finds: readonly string[];
  /** Default: the engine that is running. */
  readonly engine?: "away";
  /** Default: the printed ones. */
  readonly filter?: "none";
  readonly traffic?: "none";
  /** Default `/open`. */
  readonly path?: string;
  /** A second path for as many requests. */
  readonly also?: string;
  readonly upgrade?: string;
  /** `FLAG=VALUE`, set through the admin port. */
  readonly runtime?: string;
  /** `all`: every request to `path` gets to the upstream, although the chain denies it. */
  readonly reaches?: "all";
  readonly mutates?: Readonly<Record<string, readonly RoutingMutation[]>>;
}

const cases: readonly Case[] = parse(readFileSync(new URL("cases.yaml", import.meta.url), "utf8"));
const requests = 10;

let stage: DoctorStage;
beforeAll(async () => {
  stage = await startDoctorStage();
  return () => stage.close();
});

describe("finds", () => {
  test.each(cases)("$name", async (one) => {
    const { edits, engine, mutates = {} } = one;
    const text = Object.entries(edits).reduce((left, [from, to]) => replaceOnce(left, from, to), stage.printed);
    const change = one.filter === "none" ? withoutFilter : undefined;
    await stage.withEnvoy({ text, engine, change }, async (envoy) => {
      if (one.runtime !== undefined) await send(envoy.adminPort, { method: "POST", path: `/runtime_modify?${one.runtime}` });
      const before = stage.upstream.requests.length;
      const demands = withMutations(stage.demands, mutates);
      const { findings } = await examine({ ...stage, demands }, envoy, () => traffic(envoy, one));
      expect(findings.map(({ code }) => code).join(" ")).toBe(one.finds.join(" "));
      if (one.reaches === "all") {
        const reached = stage.upstream.requests.slice(before).filter(({ path }) => path === (one.path ?? "/open"));
        expect(reached).toHaveLength(requests);
      }
    });
  });
});

describe("finds nothing", () => {
  test("on the printed configuration, whatever is asked for", async () => {
    await stage.withEnvoy({ text: stage.printed }, async (envoy) => {
      const { findings, traffic: seen } = await examine(stage, envoy, async () => {
        for (const path of ["/open", "/locked", "/reader", "/nothing", "/open//a", "/open/%2e%2e/locked"]) {
          for (let count = 0; count < requests; count++) await send(envoy.port, { path });
        }
        for (let count = 0; count < requests; count++) await send(envoy.port, { path: "/reader", method: "POST", body: '{"a":"x"}' });
      });
      expect(findings).toEqual([]);
      expect(seen).toMatchObject([{ entrance: "ingress", requests: 7 * requests }]);
    });
  });

  test("on the same, delivered in parts", async () => {
    await stage.withEnvoy({ text: stage.printed, change: (whole) => inParts(whole, stage.folder).bootstrap }, async (envoy) => {
      const { findings } = await examine(stage, envoy, () => traffic(envoy, { path: "/locked" }));
      expect(findings).toEqual([]);
    });
  });
});

describe("of a configuration that is delivered in parts", () => {
  test("finds what is wrong, and an update that Envoy refuses", async () => {
    const bad = replaceOnce(stage.printed, "r:%ROUTE_NAME%", "r:%VIRTUAL_HOST_NAME%");
    let parts: Parts | undefined;
    const change = (whole: Data): Data => {
      parts = inParts(whole, stage.folder);
      return parts.bootstrap;
    };
    await stage.withEnvoy({ text: bad, change }, async (envoy) => {
      await parts?.deliverBadListener();
      await waitFor({ what: "Envoy to refuse the listener", timeoutMs: 20_000 }, async () => {
        const rejected = (await envoy.stats("^listener_manager.lds.update_rejected$")).get("listener_manager.lds.update_rejected");
        return rejected === 0 ? undefined : true;
      });
      const { findings } = await examine(stage, envoy, () => traffic(envoy, { path: "/locked" }));
      expect(findings.map(({ code }) => code)).toEqual(["doctor-not-asked", "envoy-operator", "envoy-update-refused"]);
    });
  });
});

describe("a probe", () => {
  const probe = (port: number, path: string, status?: number) => ({ probes: [{ url: `http://127.0.0.1:${port}${path}`, status }] });
  const codes = async (envoy: Envoy, probes: Partial<Patient>): Promise<readonly string[]> => {
    const { findings } = await examine(stage, envoy, () => traffic(envoy, {}), probes);
    return findings.map(({ code }) => code);
  };

  test("that the engine denies is fine; else it is said who answered", async () => {
    await stage.withEnvoy({ text: stage.printed }, async (envoy) => {
      expect(await codes(envoy, probe(envoy.port, "/locked"))).toEqual([]);
      expect(await codes(envoy, probe(envoy.port, "/locked", 403))).toEqual([]);
      expect(await codes(envoy, probe(envoy.port, "/locked", 401))).toEqual(["doctor-probe-unexpected"]);
      expect(await codes(envoy, probe(envoy.port, "/open"))).toEqual(["doctor-probe-passed"]);
      expect(await codes(envoy, probe(envoy.adminPort, "/nothing"))).toEqual(["doctor-probe-unseen"]);
      expect(await codes(envoy, probe(1, "/"))).toEqual(["doctor-probe-failed"]);
    });
  });

  test("that passes by is found where nothing else comes", async () => {
    const text = replaceOnce(stage.printed, "r:%ROUTE_NAME%", "r:%VIRTUAL_HOST_NAME%");
    await stage.withEnvoy({ text }, async (envoy) => {
      const { findings } = await examine(stage, envoy, async () => {}, probe(envoy.port, "/locked"));
      expect(findings.map(({ code }) => code)).toEqual(["doctor-probe-passed", "doctor-not-asked", "envoy-operator"]);
    });
  });
});

describe("as a command", () => {
  const run = (envoy: Envoy, ...more: readonly string[]) => {
    const ports = ["--envoy-admin", `http://127.0.0.1:${envoy.adminPort}`, "--probe", `http://127.0.0.1:${envoy.port}/locked`];
    const settings = join(stage.folder, "engine.settings.yaml");
    return runDoctor("--settings", settings, ...ports, "--watch-for", "100ms", ...more);
  };

  test("ends with 0 where all is well, and with 1 where it is not", async () => {
    await stage.withEnvoy({ text: stage.printed }, async (envoy) => {
      const { status, stdout, stderr } = await run(envoy);
      const engine = `127.0.0.1:${stage.engine.adminPort}`;
      expect(stdout).toBe(`Envoy 1.36.2, LIVE\nengine ${engine}, ready, generation 1\ningress: 1 request, the engine asked about 1\n`);
      expect([status, stderr]).toEqual([0, "watching Envoy's counters for 0.1 s\nfine: 0 errors, 0 warnings\n"]);
      expect(JSON.parse((await run(envoy, "--json")).stdout)).toMatchObject({ envoy: { version: "1.36.2" }, findings: [] });
    });
    const text = replaceOnce(stage.printed, "r:%ROUTE_NAME%", "r:%VIRTUAL_HOST_NAME%");
    await stage.withEnvoy({ text }, async (envoy) => {
      const { status, stdout, stderr } = await run(envoy);
      expect([status, stderr]).toEqual([1, expect.stringMatching(/\n3 errors, 0 warnings\n$/)]);
      expect(stdout).toMatch(/error\[doctor-probe-passed\].*error\[doctor-not-asked\].*error\[envoy-operator\]/s);
    });
  });
});

/** Not awaited in place: the upstream of this process must go on answering. */
function runDoctor(...args: readonly string[]): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    const command = [join(root, "bin/policy-engine.mjs"), "doctor", ...args];
    execFile(process.execPath, command, (error, stdout, stderr) => resolve({ status: Number(error?.code ?? 0), stdout, stderr }));
  });
}

async function traffic(envoy: Envoy, { traffic: kind, path = "/open", also, upgrade }: Partial<Case>): Promise<void> {
  if (kind === "none") return;
  const headers = upgrade === undefined ? {} : { connection: "upgrade", upgrade };
  for (let count = 0; count < requests; count++) {
    await send(envoy.port, { path, headers });
    if (also !== undefined) await send(envoy.port, { path: also });
  }
}

function withoutFilter(bootstrap: Data): Data {
  const router = { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" };
  return replaceAt(bootstrap, [...envoyPlaces.connectionManager, "http_filters"], [{ name: "router", typed_config: router }]);
}

function replaceOnce(text: string, from: string, to: string): string {
  expect(text.split(from), `\`${from}\` stands once in the printed file`).toHaveLength(2);
  return text.replace(from, () => to);
}
