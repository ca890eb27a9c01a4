/** Clients that others wrote (grpc-go, by the tools that people use) against an engine, in clear and over mTLS, on both transports. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../scripts/cache.mjs";
import { findGoTool, type GoTool } from "../../scripts/go-tools.ts";
import { holdPort } from "../../scripts/processes/free-port.ts";
import { type Engine, startEngine } from "../../scripts/processes/start-engine.ts";
import { readMetrics } from "../support/admin.ts";
import { certificateAuthority, privateKeyPem, serverCertificate } from "../support/certificates.ts";
import { transportKinds } from "../support/transports.ts";

const policies = `
version: 1
chains: { stamp: { steps: [{ policy: set-header@1, parameters: { request: [{ name: x-stamp, set: seen }] } }] } }
routes: { orders: stamp }
`;

const headers = [
  [":method", "GET"],
  [":path", "/orders/1"],
  [":scheme", "https"],
  [":authority", "example.com"],
].map(([key, value = ""]) => ({ key, raw_value: Buffer.from(value).toString("base64") }));
const request = JSON.stringify({ request_headers: { headers: { headers }, end_of_stream: true } });
const stamp = Buffer.from("seen").toString("base64");

const protos = ["-import-path", join(root, "proto")];
const extProc = ["-proto", "envoy/service/ext_proc/v3/external_processor.proto"];
const processMethod = "envoy.service.ext_proc.v3.ExternalProcessor/Process";
const route = ["-H", "x-route: r:orders"];

const pollLonger = { timeout: 10_000, interval: 20 };

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param inputEnds when the tool is told that nothing more comes; default: at once */
async function runTool(path: string, args: readonly string[], inputEnds?: () => Promise<unknown>): Promise<Outcome> {
  const child = spawn(path, args, { timeout: 30_000 });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (bytes: Buffer) => {
    stdout += bytes.toString("utf8");
  });
  child.stderr.on("data", (bytes: Buffer) => {
    stderr += bytes.toString("utf8");
  });
  const closed = once(child, "close");
  await inputEnds?.();
  child.stdin.end();
  await closed;
  return { code: child.exitCode, stdout, stderr };
}

/** Says in the report which tool is missing. */
function toolOr(skip: (reason: string) => never, name: GoTool): string {
  return findGoTool(name) ?? skip(`${name} is not here: \`npm run go-tools\` builds it with Go`);
}

describe.for(transportKinds)("%s", (transport) => {
  describe.for(["in clear", "over mTLS"] as const)("%s", (carrier) => {
    const folder = mkdtempSync(join(tmpdir(), "foreign-"));
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const authority = certificateAuthority("authority");
    const [server, client] = [serverCertificate("127.0.0.1", authority), serverCertificate("client", authority)];
    const ca = file("ca.pem", authority.pem);
    const [certificate, key] = [file("client.pem", client.pem), file("client-key.pem", privateKeyPem(client))];
    const secure = carrier === "over mTLS";
    let engine: Engine;
    let address: string;

    beforeAll(async () => {
      const [own, admin] = [await holdPort(), await holdPort()];
      address = `127.0.0.1:${own.port}`;
      await Promise.all([own.release(), admin.release()]);
      const tls = { certificate: file("engine.pem", server.pem), key: file("engine-key.pem", privateKeyPem(server)), clientCa: ca };
      engine = await startEngine({
        name: "engine",
        folder,
        adminPort: admin.port,
        settings: {
          version: 1,
          transport,
          listen: [`tcp:${address}`],
          admin: `tcp:127.0.0.1:${admin.port}`,
          providers: [{ file: { paths: [file("policies.yaml", policies)] } }],
          envoy: { identity: "metadata" },
          shutdown: { drainDelay: "0s", grace: "5s" },
          ...(secure ? { tls } : {}),
        },
      });
    });
    afterAll(async () => {
      await engine.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const openExchanges = async (): Promise<number> => (await readMetrics(engine))("policy_engine_exchanges_open");
    const grpcurl = (path: string, args: readonly string[], inputEnds?: () => Promise<unknown>) =>
      runTool(path, [...(secure ? ["-cacert", ca, "-cert", certificate, "-key", key] : ["-plaintext"]), ...protos, ...args], inputEnds);

    test.for([
      ["", 0, "SERVING"],
      ["envoy.service.ext_proc.v3.ExternalProcessor", 0, "SERVING"],
      ["other", 3, "NotFound"],
    ] as const)("grpc-health-probe, service `%s`", async ([service, code, text], { skip }) => {
      const tls = secure ? ["-tls", "-tls-ca-cert", ca, "-tls-client-cert", certificate, "-tls-client-key", key] : [];
      const found = await runTool(toolOr(skip, "grpc-health-probe"), ["-addr", address, "-service", service, ...tls]);
      expect([found.code, found.stdout + found.stderr]).toEqual([code, expect.stringContaining(text)]);
    });

    test("grpcurl: an exchange, a method that nobody has, and a deadline", async ({ skip }) => {
      const path = toolOr(skip, "grpcurl");
      const exchange = await grpcurl(path, [...extProc, ...route, "-d", request, address, processMethod]);
      expect([exchange.code, exchange.stderr]).toEqual([0, ""]);
      expect(JSON.parse(exchange.stdout)).toMatchObject({
        requestHeaders: { response: { headerMutation: { setHeaders: [{ header: { key: "x-stamp", rawValue: stamp } }] } } },
      });
      const discovery = ["-proto", "envoy/service/discovery/v3/discovery.proto"];
      const elsewhere = "envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
      expect((await grpcurl(path, [...discovery, "-d", "{}", address, elsewhere])).stderr).toContain("Unimplemented");
      // It reads its input to the end before it says what became of the stream.
      const streamHasGone = async (): Promise<void> => {
        await expect.poll(openExchanges, pollLonger).toBe(1);
        await expect.poll(openExchanges, pollLonger).toBe(0);
      };
      const late = await grpcurl(path, [...extProc, ...route, "-max-time", "1", "-d", "@", address, processMethod], streamHasGone);
      expect(late.stderr).toContain("DeadlineExceeded");
    });

    test("ghz: 2000 exchanges on one connection, 200 at once", async ({ skip }) => {
      const found = await runTool(toolOr(skip, "ghz"), [
        ...(secure ? ["--cacert", ca, "--cert", certificate, "--key", key] : ["--insecure"]),
        ...["--proto", join(root, "proto/envoy/service/ext_proc/v3/external_processor.proto"), "--import-paths", join(root, "proto")],
        ...["--call", "envoy.service.ext_proc.v3.ExternalProcessor.Process", "-m", JSON.stringify({ "x-route": "r:orders" })],
        ...["-d", request, "-c", "200", "-n", "2000", "--connections", "1", "-O", "json", address],
      ]);
      expect(JSON.parse(found.stdout)).toMatchObject({ count: 2000, statusCodeDistribution: { OK: 2000 } });
      await expect.poll(openExchanges).toBe(0);
    });
  });
});
