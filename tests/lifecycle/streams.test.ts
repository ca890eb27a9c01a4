/** Bodies that are on their way when the engine gets another configuration, ends or dies; HTTP/1 and HTTP/2 on both sides. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect, createServer as createHttp2Server, type Http2Server } from "node:http2";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import { demoConfig } from "../../scripts/processes/demo-configs.ts";
import { clusterPlace } from "../../scripts/processes/envoy-bootstrap.ts";
import { portOf } from "../../scripts/processes/free-port.ts";
import type { Engine } from "../../scripts/processes/start-engine.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { printEnvoy } from "../../src/envoy-config/print.ts";
import { policies } from "../../src/generated/registry.ts";
import { demandsOf } from "../config/envoy/support.ts";
import { getFramed } from "../envoy/streams/http2-frames.ts";
import { openClient } from "../envoy/streams/open-client.ts";
import { readMetrics } from "../support/admin.ts";
import { startTestStage } from "../support/test-stage.ts";

const configWith = (mask: string): string => `
version: 1
chains:
  mask:
    steps:
      - policy: mask@1
        parameters:
          request: { rules: [{ detect: email, replaceWith: "${mask}" }] }
          response: { rules: [{ detect: email, replaceWith: "${mask}" }] }
routes: { mask: mask }
`;

const graceMs = 1_500;
const event = "data: a@b.cd\n\n";
const masked = (mask: string): string => `data: ${mask}\n\n`;
/** Enough that a part of it is not held back. */
const upload = `${"x ".repeat(2_000)}a@b.cd `;

/** What both protocols' responses have. */
interface Answer {
  setHeader(name: string, value: string): unknown;
  write(text: string): boolean;
  end(): unknown;
  end(text: string): unknown;
}

describe.each(["http1", "http2"] as const)("%s", (protocol) => {
  let stage: Stage;
  let engine: Engine;
  let upstream: Server | Http2Server;
  let arrived: (asked: Readable, answer: Answer) => void;

  beforeAll(async () => {
    upstream =
      protocol === "http1"
        ? createServer((asked, answer) => arrived(asked, answer))
        : createHttp2Server((asked, answer) => arrived(asked, answer));
    upstream.listen(0, "127.0.0.1");
    await once(upstream, "listening");
    const endpoint = { address: { socket_address: { address: "127.0.0.1", port_value: portOf(upstream) } } };
    const demands = await demandsOf(await demoConfig("settings.yaml"), configWith("one"), policies);
    stage = await startTestStage({
      policies: configWith("one"),
      settings: (settings) => replaceAt(settings, ["shutdown"], { drainDelay: "0s", grace: `${graceMs}ms` }),
      envoy: printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 1 } }),
      bootstrap: (bootstrap) =>
        replaceAt(
          replaceAt(bootstrap, [...clusterPlace("upstream"), "load_assignment", "endpoints"], [{ lb_endpoints: [{ endpoint }] }]),
          [...clusterPlace("upstream"), "typed_extension_protocol_options"],
          protocol === "http1" ? {} : http2Upstream,
        ),
    });
    engine = stage.engine;
  });

  afterAll(async () => {
    await stage.close();
    upstream.close();
  });

  test("a new configuration: the rest of a body is masked as its beginning was, and the old one is let go of at its end", async () => {
    const { answer, download } = await startDownload("one");
    await writeFile(stage.policiesFile, configWith("two"));
    await waitFor({ what: "the new configuration", timeoutMs: 10_000 }, async () =>
      (await generations()).active === 2 ? true : undefined,
    );
    const later = await startDownload("two");
    answer.write(event);
    await download.heard(masked("one").repeat(2));
    expect((await generations()).open).toBe(2);
    answer.write(event);
    answer.end();
    later.answer.end();
    expect(await download.ended).toEqual({ body: masked("one").repeat(3), ended: "whole" });
    expect(await later.download.ended).toEqual({ body: masked("two"), ended: "whole" });
    await waitFor({ what: "the old configuration to be let go of", timeoutMs: 10_000 }, async () =>
      (await generations()).open === 1 ? true : undefined,
    );
  });

  test("SIGTERM: a body that comes to its end within the grace period is whole", async () => {
    const { answer, download } = await startDownload();
    const up = await startUpload();
    engine.process.signal("SIGTERM");
    await waitFor({ what: "the engine to drain", timeoutMs: 5_000 }, () => (draining() ? true : undefined));
    answer.write(event);
    await download.heard(masked("two").repeat(2));
    answer.end();
    up.end();
    expect(await download.ended).toEqual({ body: masked("two").repeat(2), ended: "whole" });
    expect(await up.arrived).toEqual({ body: upload.replace("a@b.cd", "two"), ended: "whole" });
    expect(await up.status).toBe(200);
    expect(await engine.process.exited).toEqual({ code: 0, signal: null });
    await again();
  });

  test("SIGTERM: a body that does not is cut off, and nobody takes it for whole", async () => {
    const { download } = await startDownload();
    const up = await startUpload();
    engine.process.signal("SIGTERM");
    expect(await download.ended).toEqual({ body: masked("two"), ended: "cut" });
    expect((await up.arrived).ended).toBe("cut");
    expect(await up.status).toBe(503);
    expect(await engine.process.exited).toEqual({ code: 0, signal: null });
    await again();
  });

  test("kill -9: every body under way is cut off, and nobody takes it for whole", async () => {
    const { download } = await startDownload();
    const up = await startUpload();
    engine.process.signal("SIGKILL");
    expect(await download.ended).toEqual({ body: masked("two"), ended: "cut" });
    expect((await up.arrived).ended).toBe("cut");
    expect(await up.status).toBe(503);
    await again();
  });

  /** One event of a response has come, and the upstream has said no end. */
  async function startDownload(mask = "two") {
    const said = new Promise<Answer>((resolve) => {
      arrived = (_, answer) => {
        answer.setHeader("content-type", "text/event-stream");
        answer.write(event);
        resolve(answer);
      };
    });
    const download = protocol === "http1" ? downloadHttp1() : downloadHttp2();
    await download.heard(masked(mask));
    return { answer: await said, download };
  }

  function downloadHttp1() {
    const client = openClient({ port: stage.envoy.port, path: "/mask", method: "GET" });
    return {
      heard: async (text: string) => (await client).until((body) => body === text),
      ended: client.then(async ({ ended, text }) => {
        const how = await ended.then(
          () => "whole",
          () => "cut",
        );
        return { body: text(), ended: how };
      }),
    };
  }

  function downloadHttp2() {
    let body = "";
    const ended = getFramed(stage.envoy.port, "/mask", (so) => {
      body = so;
    });
    return {
      heard: (text: string) => waitFor({ what: `the body ${text}`, timeoutMs: 10_000 }, () => (body === text ? true : undefined)),
      ended,
    };
  }

  /** A part of a request's body is at the upstream, and the client has said no end. */
  async function startUpload() {
    let body = "";
    let begun = (): void => {};
    const beginning = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const whole = new Promise<{ readonly body: string; readonly ended: "whole" | "cut" }>((resolve) => {
      arrived = (asked, answer) => {
        asked.on("data", (part: Buffer) => {
          body += part.toString();
          begun();
        });
        asked.once("error", () => {});
        asked.once("aborted", () => resolve({ body, ended: "cut" }));
        asked.once("end", () => {
          resolve({ body, ended: "whole" });
          answerJson(answer);
        });
      };
    });
    const { status, end } = protocol === "http1" ? uploadHttp1() : uploadHttp2();
    await beginning;
    return { arrived: whole, status, end };
  }

  function uploadHttp1() {
    const last = Promise.withResolvers<void>();
    const client = openClient({
      port: stage.envoy.port,
      path: "/mask",
      method: "POST",
      headers: { "content-type": "text/plain" },
      sendBody: async (asking) => {
        asking.write(upload);
        await last.promise;
      },
    });
    return { status: client.then(({ status }) => status), end: last.resolve };
  }

  function uploadHttp2() {
    const session = connect(`http://127.0.0.1:${stage.envoy.port}`);
    const stream = session.request({ ":method": "POST", ":path": "/mask", "content-type": "text/plain" });
    stream.write(upload);
    const status = once(stream, "response").then(([headers]) => {
      stream.resume();
      stream.once("close", () => session.close());
      return Number(headers[":status"]);
    });
    stream.on("error", () => {});
    return { status, end: () => void stream.end() };
  }

  async function generations() {
    const metrics = await readMetrics(engine);
    return { active: metrics("policy_engine_generation"), open: metrics("policy_engine_generations_open") };
  }

  function draining(): boolean {
    return engine.log.some(({ msg }) => String(msg).includes("drain"));
  }

  /** Another process takes its place. */
  async function again(): Promise<void> {
    await engine.process.exited;
    engine = await stage.startAgain(engine);
    await waitFor({ what: "Envoy to have found it", timeoutMs: 10_000 }, async () => {
      arrived = (_, answer) => answerJson(answer);
      const { status } = await openClient({ port: stage.envoy.port, path: "/mask", method: "GET" });
      return status === 200 ? true : undefined;
    });
  }
});

function answerJson(answer: Answer): void {
  answer.setHeader("content-type", "application/json");
  answer.write("{}");
  answer.end();
}

const http2Upstream = {
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    explicit_http_config: { http2_protocol_options: {} },
  },
};
