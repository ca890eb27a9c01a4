/** `mask` through a real Envoy: events leave one by one, secrets never pass, and nobody takes a part for the whole. */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import { demoConfig } from "../../scripts/processes/demo-configs.ts";
import { clusterPlace } from "../../scripts/processes/envoy-bootstrap.ts";
import { portOf } from "../../scripts/processes/free-port.ts";
import { type Stage, startStage } from "../../scripts/processes/start-stage.ts";
import { printEnvoy } from "../../src/envoy-config/print.ts";
import { policies } from "../../src/generated/registry.ts";
import { demandsOf } from "../config/envoy/support.ts";

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
  stage = await startStage({
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

test("a secret in an upload never reaches the upstream, wherever the borders of its chunks are", async () => {
  const got = new Promise<string>((resolve) => {
    answer = (asked, response) => {
      const parts: Buffer[] = [];
      asked.on("data", (part: Buffer) => parts.push(part));
      asked.once("end", () => {
        resolve(Buffer.concat(parts).toString());
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
      });
    };
  });
  const secret = "card 4111 1111 1111 1111, mail alice@example.com; ";
  const client = await open("POST", { "content-type": "text/plain" }, function* () {
    for (let at = 1; at < secret.length; at++) yield* [secret.slice(0, at), secret.slice(at)];
  });
  expect(await got).toBe("card ***1111, mail ***; ".repeat(secret.length - 1));
  await client.ended;
  expect(client.text()).toBe("{}");
});

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
  const upload = await open("POST", { "content-type": "application/octet-stream" }, () => ["a@b.cd"]);
  await upload.ended;
  expect(upload.status).toBe(415);
});

interface Client {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** What has come of the body so far. */
  text(): string;
  /** Settles when what has come is so. */
  until(holds: (text: string) => boolean): Promise<void>;
  /** Rejects when the body is broken off. */
  readonly ended: Promise<void>;
}

/** Sends a request and waits for the headers of the response. */
function open(method: string, headers: Readonly<Record<string, string>> = {}, body: () => Iterable<string> = () => []): Promise<Client> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: "127.0.0.1", port: stage.envoy.port, path: "/mask", method, headers, agent: false });
    asking.once("error", reject);
    asking.once("response", (response) => resolve(clientOf(response)));
    asking.setNoDelay(true);
    for (const part of body()) asking.write(part);
    asking.end();
  });
}

function clientOf(response: IncomingMessage): Client {
  let text = "";
  let changed = (): void => {};
  response.setEncoding("utf8");
  response.on("data", (part: string) => {
    text += part;
    changed();
  });
  const ended = new Promise<void>((resolve, reject) => {
    response.once("end", resolve);
    response.once("error", reject);
  });
  // Whether somebody waits for it or not.
  ended.catch(() => {});
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: () => text,
    ended,
    async until(holds) {
      while (!holds(text)) {
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
    },
  };
}
