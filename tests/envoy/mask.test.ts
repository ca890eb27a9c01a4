/** `mask` through a real Envoy: events leave one by one, secrets never pass, and nobody takes a part for the whole. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { constants, createGzip, gzipSync } from "node:zlib";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import { demoConfig } from "../../scripts/processes/demo-configs.ts";
import { clusterPlace } from "../../scripts/processes/envoy-bootstrap.ts";
import { portOf } from "../../scripts/processes/free-port.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { printEnvoy } from "../../src/envoy-config/print.ts";
import { policies } from "../../src/generated/registry.ts";
import { demandsOf } from "../config/envoy/support.ts";
import { startTestStage } from "../support/test-stage.ts";
import { getFramed } from "./streams/http2-frames.ts";
import { type OpenClient, type Opening, openClient } from "./streams/open-client.ts";

const config = `
version: 1
chains:
  mask:
    steps:
      - policy: mask@1
        parameters:
          request: { rules: [{ detect: email }, { detect: credit-card, keepLast: 4 }] }
          response: { rules: [{ detect: email }, { path: "$..password" }] }
routes: { mask: mask }
`;

let stage: Stage;
/** What the upstream does with the next request. */
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  const upstream = createServer((asked, response) => answer(asked, response));
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const endpoint = { address: { socket_address: { address: "127.0.0.1", port_value: portOf(upstream) } } };
  const demands = await demandsOf(await demoConfig("settings.yaml"), config, policies);
  stage = await startTestStage({
    policies: config,
    envoy: printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 1 } }),
    bootstrap: (bootstrap) =>
      replaceAt(bootstrap, [...clusterPlace("upstream"), "load_assignment", "endpoints"], [{ lb_endpoints: [{ endpoint }] }]),
  });
  return async () => {
    await stage.close();
    upstream.closeAllConnections();
    upstream.close();
  };
});

beforeEach(() => {
  answer = (_, response) => response.writeHead(500).end("the test has said no answer");
});

test("every event leaves when it is complete, before the upstream says more", async () => {
  const said = new Promise<ServerResponse>((resolve) => {
    answer = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      resolve(response);
    };
  });
  const client = await open("GET");
  const upstream = await said;
  const events = [
    ['data: {"delta":"from a@b', '.cd"}\n\n', 'data: {"delta":"from ***"}\n\n'],
    [": ping", "\n\n", ": ping\n\n"],
    ['data: {"user":{"pass', 'word":1}}\r\n\r\n', 'data: {"user":{"password":"***"}}\n\r\n'],
    ["data: [DONE]\n", "\n", "data: [DONE]\n\n"],
  ] as const;
  let expected = "";
  for (const [head, tail, masked] of events) {
    upstream.write(head);
    upstream.write(tail);
    expected += masked;
    await client.until(({ length }) => length >= expected.length);
    expect(client.text()).toBe(expected);
  }
  upstream.end();
  await client.ended;
  expect(client).toMatchObject({ status: 200, headers: { "content-type": "text/event-stream" } });
  expect(client.text()).toBe(expected);
});

test("an event in gzip leaves when it is complete, in gzip", async () => {
  const said = new Promise<ServerResponse>((resolve) => {
    answer = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream", "content-encoding": "gzip" });
      response.flushHeaders();
      resolve(response);
    };
  });
  const client = await open("GET");
  expect(client.headers).toMatchObject({ "content-encoding": "gzip" });
  const zip = createGzip({ flush: constants.Z_SYNC_FLUSH });
  zip.pipe(await said);
  let expected = "";
  for (const part of ["one", "two", "three"]) {
    zip.write(`data: ${part} a@b.cd\n\n`);
    expected += `data: ${part} ***\n\n`;
    await client.until(({ length }) => length >= expected.length);
    expect(client.text()).toBe(expected);
  }
  zip.end();
  await client.ended;
  expect(client.text()).toBe(expected);
});

const secret = "4111 1111 1111 1111, alice@example.com;";

test.each([1, 5, 12, 18, 19, 22, 27, 33, 38])(
  "of a secret in an upload nothing reaches the upstream before it is whole: %i bytes of it",
  async (at) => {
    // More than what is held back, so that something gets through in front of it.
    const before = "x ".repeat(1_000);
    let got = "";
    let more = (): void => {};
    const whole = new Promise<void>((resolve) => {
      answer = (asked, response) => {
        asked.setEncoding("utf8");
        asked.on("data", (part: string) => {
          got += part;
          more();
        });
        asked.once("end", () => {
          response.writeHead(200, { "content-type": "application/json" }).end("{}");
          resolve();
        });
      };
    });
    const client = await open("POST", { "content-type": "text/plain" }, async (asking) => {
      const begun = new Promise<void>((resolve) => {
        more = resolve;
      });
      asking.write(before + secret.slice(0, at));
      await begun;
      expect(before.startsWith(got)).toBe(true);
      asking.write(secret.slice(at));
    });
    await whole;
    expect(got).toBe(`${before}***1111, ***;`);
    await client.ended;
    expect(client.text()).toBe("{}");
  },
);

test("a document whose length changes arrives whole, without what was said about the old bytes", async () => {
  const body = JSON.stringify({
    users: Array.from({ length: 5_000 }, (_, id) => ({ id, mail: `user${id}@example.com`, password: { hash: id } })),
  });
  answer = (_, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length, etag: '"1"' }).end(body);
  };
  const client = await open("GET");
  await client.ended;
  expect(JSON.parse(client.text())).toEqual({ users: Array.from({ length: 5_000 }, (_, id) => ({ id, mail: "***", password: "***" })) });
  expect(client.headers).not.toHaveProperty("etag");
  expect(client.headers).not.toHaveProperty("content-length");
});

test("a response that turns out to be no JSON is broken off, and nobody takes it for a whole one", async () => {
  const said = new Promise<ServerResponse>((resolve) => {
    answer = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write("data: a@b.cd\n\n");
      resolve(response);
    };
  });
  const client = await open("GET");
  await client.until((text) => text.endsWith("\n\n"));
  (await said).end('data: {"password":"x\n\ndata: more\n\n');
  await expect(client.ended).rejects.toThrow("aborted");
  expect(client.text()).toBe("data: ***\n\n");
});

test("one that is none from its beginning shows nothing of itself", async () => {
  answer = (_, response) => response.writeHead(200, { "content-type": "application/json" }).end('{"password":"secret"');
  const client = await open("GET");
  // It depends on timing whether Envoy has sent the headers by then; 503 is the printed `status_on_error`.
  const outcome = await client.ended.then(
    () => client.status,
    () => "broken off",
  );
  expect([503, "broken off"]).toContain(outcome);
  expect(client.text()).not.toContain("secret");
});

test("what cannot be masked is answered for", async () => {
  answer = (_, response) => response.writeHead(200, { "content-type": "image/png" }).end("PNG");
  const response = await open("GET");
  await response.ended;
  expect(response).toMatchObject({ status: 502, headers: { "content-type": "application/problem+json" } });
  const upload = await open("POST", { "content-type": "application/octet-stream" }, async (asking) => void asking.write("a@b.cd"));
  await upload.ended;
  expect(upload.status).toBe(415);
});

test.each([
  ["a 304", "GET", 304],
  ["the response to a HEAD", "HEAD", 200],
] as const)("%s says what the whole would be like, which could not be masked, but has no body", async (_what, method, status) => {
  const headers = { "content-type": "image/png", "content-length": "1234", etag: '"1"' };
  answer = (_, response) => response.writeHead(status, headers).end();
  const client = await open(method);
  await client.ended;
  expect(client).toMatchObject({ status, headers: { "content-type": "image/png", etag: '"1"' } });
  expect(client.text()).toBe("");
  // The next exchange over the same connection to the upstream is not taken for its body.
  answer = (_, response) => response.writeHead(200, { "content-type": "text/plain" }).end("a@b.cd");
  const next = await open("GET");
  await next.ended;
  expect(next.text()).toBe("***");
});

const blanks = " ".repeat(20 * 1024 * 1024);

test("an upload that is packed too well to be text is refused, with a code that says why", async () => {
  answer = (asked, response) => void asked.resume().once("end", () => response.end());
  const headers = { "content-type": "text/plain", "content-encoding": "gzip" };
  const upload = await open("POST", headers, async (asking) => void asking.write(gzipSync(blanks)));
  await upload.ended;
  expect(upload.status).toBe(413);
  expect(JSON.parse(upload.text())).toMatchObject({ status: 413, code: "request-too-large" });
});

test("a response that turns out to be packed so is broken off", async () => {
  const zip = createGzip({ flush: constants.Z_SYNC_FLUSH });
  answer = (_, response) => zip.pipe(response.writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" }));
  zip.write("words ".repeat(1_000));
  const download = await getFramed(stage.envoy.port, "/mask", () => {
    if (!zip.writableEnded) zip.end(blanks);
  });
  expect(download.ended).toBe("cut");
});

/** Sends a request and waits for the headers of the response. */
function open(
  method: Opening["method"],
  headers: Readonly<Record<string, string>> = {},
  sendBody?: Opening["sendBody"],
): Promise<OpenClient> {
  return openClient({ port: stage.envoy.port, path: "/mask", method, headers, ...(sendBody === undefined ? {} : { sendBody }) });
}
