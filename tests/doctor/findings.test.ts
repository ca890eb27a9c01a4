/** What the doctor says of pages as data; `tests/envoy/doctor` holds it against a real Envoy. The goldens are in `findings.golden.txt`. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { Fetch } from "../../src/doctor/admin-port.ts";
import { type Diagnosis, diagnose } from "../../src/doctor/diagnose.ts";
import { formatDiagnosis, formatFinding } from "../../src/doctor/format-diagnosis.ts";
import { printEnvoy } from "../../src/envoy-config/print.ts";
import { writtenDemands } from "../config/envoy/support.ts";
import { expectGolden } from "../config/goldens.ts";

interface Case {
  readonly name: string;
  readonly finds: readonly string[];
  /** Over 100 requests that all is well with. */
  readonly stats?: Readonly<Record<string, number>>;
  readonly metrics?: Readonly<Record<string, number>>;
  /** What the engine's counters were at the start. Default: 0. */
  readonly metricsBefore?: Readonly<Record<string, number>>;
  /** Requests at the start. Default: 0. */
  readonly underWay?: number;
  /** Of 2 engines. Default: 2. */
  readonly healthy?: number;
  readonly server?: { readonly version: string; readonly state: string };
  readonly engine?: "unreachable" | { readonly ready: boolean; readonly hash?: string };
  readonly probe?: "unreachable" | { readonly status: number; readonly id: boolean };
  readonly runtime?: Readonly<Record<string, unknown>>;
  /** Names of filters before the engine's. */
  readonly filters?: readonly string[];
  /** How many there are, of ports of their own. Default: 1. */
  readonly listeners?: number;
  /** Changes the filter. */
  readonly alter?: Readonly<Record<string, unknown>>;
}

const cases: readonly Case[] = parse(readFileSync(new URL("findings.yaml", import.meta.url), "utf8"));
const demands = writtenDemands({});
const hash = "hash of the files";
const probeUrl = "http://shop.example/orders?key=secret";

async function diagnosisOf(one: Case): Promise<Diagnosis> {
  let watched = false;
  const probes = one.probe === undefined ? [] : [{ url: probeUrl, status: undefined }];
  const admins = { envoyAdmin: new URL("http://envoy:9901"), engineAdmins: [new URL("http://engine:9101")] };
  const wait = async (): Promise<void> => {
    watched = true;
  };
  return diagnose({ ...admins, demands, hash, probes }, { fetch: pages(one, () => watched), waitMs: 10_000, wait });
}

/** The ports of an Envoy and an engine. */
function pages(one: Case, watched: () => boolean): Fetch {
  const { engine = { ready: true }, probe, metricsBefore = {} } = one;
  return async (href) => {
    const url = new URL(href);
    if ((url.host === "engine:9101" && engine === "unreachable") || (href === probeUrl && probe === "unreachable")) {
      throw new Error(`GET ${url.origin}: connect ECONNREFUSED`);
    }
    if (href === probeUrl && typeof probe === "object") {
      return new Response("", { status: probe.status, headers: probe.id ? { "x-decision-id": "1" } : {} });
    }
    switch (url.pathname) {
      case "/server_info":
        return Response.json(one.server ?? { version: "dc2d309/1.36.2/Clean/RELEASE/BoringSSL", state: "LIVE" });
      case "/config_dump":
        return Response.json(dump(one));
      case "/runtime":
        return Response.json({ entries: one.runtime ?? {}, layers: [] });
      case "/stats":
        return new Response(lines(watched() ? { ...atEnd.stats, ...members(one), ...one.stats } : atStart(one), ": "));
      case "/readyz":
        return new Response("{}", { status: typeof engine === "object" && engine.ready ? 200 : 503 });
      case "/config":
        return Response.json({ generation: { number: 3, hash: typeof engine === "object" ? (engine.hash ?? hash) : hash } });
      case "/metrics":
        return new Response(lines(watched() ? { ...atEnd.metrics, ...one.metrics } : metricsBefore, " "));
      default:
        throw new Error(`nobody asks for ${href}`);
    }
  };
}

const atEnd = {
  stats: {
    "http.ingress.downstream_rq_total": 100,
    "http.ingress.downstream_rq_2xx": 100,
    "http.ingress.downstream_rq_active": 0,
    "http.ingress.ext_proc.streams_started": 100,
    "http.ingress.ext_proc.streams_failed": 0,
  },
  metrics: { 'policy_engine_exchanges_total{outcome="continued"}': 100, policy_engine_exchanges_open: 0 },
};

const members = ({ healthy = 2 }: Case) => ({
  "cluster.policy_engine.membership_total": 2,
  "cluster.policy_engine.membership_healthy": healthy,
});

const atStart = ({ underWay = 0 }: Case) => ({ "http.ingress.downstream_rq_active": underWay });

const lines = (values: Readonly<Record<string, number>>, between: string): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}${between}${value}\n`)
    .join("");

/** What the admin port would dump of the printed configuration. */
function dump({ filters = [], listeners = 1, alter = {} }: Case): unknown {
  const text = printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 8080 } });
  const { static_resources: resources } = parse(text);
  const [listener] = resources.listeners;
  const manager = listener.filter_chains[0].filters[0].typed_config;
  Object.assign(manager.http_filters[0].typed_config, alter);
  manager.http_filters.unshift(...filters.map((name) => ({ name, typed_config: {} })));
  return {
    configs: [
      {
        "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
        static_listeners: Array.from({ length: listeners }, () => ({ listener })),
      },
      {
        "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
        static_clusters: resources.clusters.map((cluster: unknown) => ({ cluster })),
      },
    ],
  };
}

describe("the doctor", () => {
  test.each(cases)("$name", async (one) => {
    const { findings } = await diagnosisOf(one);
    expect(findings.map(({ code }) => code).join(" ")).toBe(one.finds.join(" "));
  });

  test("says what its golden says", async () => {
    const texts = await Promise.all(
      cases.map(async (one) => `== ${one.name}\n${(await diagnosisOf(one)).findings.map((found) => `${formatFinding(found)}\n`).join("")}`),
    );
    expectGolden(fileURLToPath(new URL("findings.golden.txt", import.meta.url)), texts.join("\n"));
  });

  test("says what it saw before what is wrong", async () => {
    expect(formatDiagnosis(await diagnosisOf({ name: "", finds: [], probe: { status: 200, id: false } }))).toMatch(
      /^Envoy 1\.36\.2, LIVE\nengine engine:9101, ready, generation 3\ningress: 100 requests, the engine asked about 100\nhttp:\/\/shop\.example\/orders: error\[doctor-probe-passed\] /,
    );
  });
});
