/** TLS between Envoy and the engine, as `policy-engine envoy` prints it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Data, dataAt, replaceAt } from "../../scripts/processes/data.ts";
import { demoConfig } from "../../scripts/processes/demo-configs.ts";
import { clusterPlace } from "../../scripts/processes/envoy-bootstrap.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { printEnvoy } from "../../src/envoy-config/print.ts";
import { policies as registry } from "../../src/generated/registry.ts";
import { demandsOf } from "../config/envoy/support.ts";
import { type Certificate, certificateAuthority, privateKeyPem, serverCertificate } from "../support/certificates.ts";
import { byRename, inPlace } from "../support/replace-file.ts";
import { startTestStage } from "../support/test-stage.ts";
import { notAnswered, startTraffic } from "../support/traffic.ts";

const policies = `
version: 1
chains: { stamp: { steps: [{ policy: set-header@1, parameters: { response: [{ name: x-stamp, set: seen }] } }] } }
routes: { orders: stamp }
`;

const authority = certificateAuthority("the authority");
const stranger = certificateAuthority("a stranger");

let folder: string;
let stage: Stage | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tls-"));
  write("ca", authority.pem);
  writePair("engine", serverCertificate("127.0.0.1", authority));
  writePair("client", serverCertificate("envoy", authority));
});

afterEach(async () => {
  await stage?.close();
  stage = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const file = (name: string): string => join(folder, `${name}.pem`);
const write = (name: string, text: string): void => writeFileSync(file(name), text);

function writePair(name: string, certificate: Certificate): void {
  write(name, certificate.pem);
  write(`${name}-key`, privateKeyPem(certificate));
}

interface TlsPlan {
  readonly clients: "certificates" | "anybody";
  /** Default 1. */
  readonly workers?: number;
  /** Changes the cluster's `transport_socket`, and what it is without it. */
  readonly socket?: (socket: Data) => Data;
}

async function start({ clients, workers = 1, socket = (data) => data }: TlsPlan): Promise<Stage> {
  const tls = {
    certificate: file("engine"),
    key: file("engine-key"),
    ...(clients === "certificates" ? { clientCa: file("ca") } : {}),
  };
  const settings = `${await demoConfig("settings.yaml")}\ntls: ${JSON.stringify(tls)}\n`;
  const demands = await demandsOf(settings.replace(/^listen:.*$/m, "listen: [tcp:127.0.0.1:9100]"), policies, registry);
  const printed = printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 8080 } });
  const place = [...clusterPlace("policy_engine"), "transport_socket"];
  stage = await startTestStage({
    policies,
    carrier: "tcp",
    workers,
    settings: (data) => replaceAt(data, ["tls"], tls),
    envoy: printed.replaceAll("/etc/envoy/policy-engine/", `${folder}/`),
    bootstrap: (data) => replaceAt(data, place, socket(dataAt(data, place))),
  });
  return stage;
}

const ask = async ({ envoy }: Stage) => {
  const { status, headers } = await send(envoy.port, { path: "/orders" });
  return { status, stamps: valuesOf(headers, "x-stamp") };
};

/** The serial number of the certificate that the engine shows on a new connection. */
function shownSerial(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", ca: authority.pem, ALPNProtocols: ["h2"] }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

/** The port of each process that answers, and how many streams Envoy has sent there. */
async function engines({ envoy }: Stage): Promise<ReadonlyMap<number, number>> {
  const { body } = await send(envoy.adminPort, { path: "/clusters" });
  const endpoints = body.matchAll(/^policy_engine::127\.0\.0\.1:(\d+)::rq_total::(\d+)$/gm);
  return new Map(Array.from(endpoints, ([, port, streams]) => [Number(port), Number(streams)]));
}

test("mTLS 1.3, as it is printed", { timeout: 60_000 }, async () => {
  const made = await start({ clients: "certificates" });
  expect(await ask(made)).toEqual({ status: 200, stamps: ["seen"] });
  const stats = await made.envoy.stats("^cluster.policy_engine.(ssl|health_check)");
  expect(stats.get("cluster.policy_engine.ssl.versions.TLSv1.3")).toBeGreaterThan(0);
  expect(stats.get("cluster.policy_engine.ssl.connection_error")).toBe(0);
  expect(stats.get("cluster.policy_engine.health_check.failure")).toBe(0);
});

test.for<readonly [what: string, plan: TlsPlan, prepare: () => void]>([
  ["a client with a stranger's certificate", { clients: "certificates" }, () => writePair("client", serverCertificate("envoy", stranger))],
  ["an engine with a stranger's certificate", { clients: "anybody" }, () => write("ca", stranger.pem)],
  ["a client without a certificate", { clients: "certificates", socket: (data) => withCommon(data, "tls_certificates", []) }, () => {}],
  [
    "a client whose health checks do not say HTTP/2",
    { clients: "anybody", socket: (data) => withCommon(data, "alpn_protocols", []) },
    () => {},
  ],
  ["a client that speaks in clear", { clients: "anybody", socket: () => rawBuffer }, () => {}],
])("%s: nobody gets through", { timeout: 60_000 }, async ([, plan, prepare]) => {
  prepare();
  const made = await start(plan);
  expect(await ask(made)).toEqual({ status: expect.toBeOneOf([500, 503, 504]), stamps: [] });
  expect(made.upstream.requests).toEqual([]);
});

test.for([1, 2])(
  "workers: %i; a certificate that is replaced while traffic runs is used, a broken one is not, and no request notices",
  {
    timeout: 90_000,
  },
  async (workers) => {
    const made = await start({ clients: "anybody", workers });
    const ports = [...(await engines(made)).keys()];
    expect(ports).toHaveLength(workers);
    const shown = (): Promise<readonly string[]> => Promise.all(ports.map(shownSerial));
    const everyWorkerSays = async (text: string): Promise<void> =>
      void (await expect
        .poll(() => made.engine.log.filter(({ msg }) => String(msg).includes(text)).length, { timeout: 20_000 })
        .toBeGreaterThanOrEqual(workers));
    const [first] = await shown();
    const traffic = startTraffic({ port: made.envoy.port, clients: 4, next: () => ({ path: "/orders" }) });

    await inPlace(file("engine"), "no certificate");
    await everyWorkerSays("new certificate is refused");
    expect(await shown()).toEqual(Array(workers).fill(first));

    const next = serverCertificate("127.0.0.1", authority);
    await byRename(file("engine-key"), privateKeyPem(next));
    await byRename(file("engine"), next.pem);
    await everyWorkerSays("new certificate is in use");
    await expect.poll(shown, { timeout: 20_000 }).not.toContain(first);
    const seen = traffic.results.length;
    await expect.poll(() => traffic.results.length).toBeGreaterThan(seen + 20);
    expect(notAnswered(await traffic.stop(), 200)).toEqual([]);
    for (const streams of (await engines(made)).values()) expect(streams).toBeGreaterThan(0);
  },
);

const withCommon = (socket: Data, key: string, value: Data): Data => replaceAt(socket, ["typed_config", "common_tls_context", key], value);

const rawBuffer: Data = {
  name: "envoy.transport_sockets.raw_buffer",
  typed_config: { "@type": "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer" },
};
