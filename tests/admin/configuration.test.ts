/** `/config`, `/generations` and `/routes/NAME` of a running engine. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { holdPort } from "../../scripts/processes/free-port.ts";
import { send } from "../../scripts/processes/send.ts";
import { type Engine, startEngine } from "../../scripts/processes/start-engine.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { checkConfig } from "../../src/config/check.ts";
import { showConfig } from "../../src/config/shown-config.ts";
import { policies } from "../../src/generated/registry.ts";
import { testEnvironment, testSchemas } from "../config/support.ts";

const digest = "6e5d35a55b80d29164c5e6576b4dbe50836237a17b5b4af841b091e25f6132b4";
const secret = "hush-hush-hush";
let folder: string;
let engine: Engine;

const ours = (tier: string): string => `version: 1
chains:
  orders:
    bodyBytesMax: 1MiB
    steps:
      - { policy: api-key-validation@1, name: auth, parameters: { keys: [{ digest: ${digest}, owner: alice }] } }
      - policy: set-header@2
        when: request.?json.hasValue()
        parameters:
          request:
            - { set: { name: x-tier, value: ${tier} } }
            - { set: { name: authorization, value: "Bearer \${file:${join(folder, "token")}}" } }
routes: { orders: orders }
`;
const theirs = "version: 1\nroutes: { health: [], a/b: orders }\n";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "admin-configuration-"));
  writeFileSync(join(folder, "token"), `${secret}\n`);
  writeFileSync(join(folder, "ours.yaml"), ours("gold"));
  writeFileSync(join(folder, "theirs.yaml"), theirs);
  const port = await holdPort();
  await port.release();
  engine = await startEngine({
    name: "engine",
    folder,
    adminPort: port.port,
    settings: {
      version: 1,
      listen: [`unix:${join(folder, "engine.sock")}`],
      admin: `tcp:127.0.0.1:${port.port}`,
      providers: [{ file: { paths: ["ours.yaml"] } }, { name: "theirs", file: { paths: ["theirs.yaml"] } }],
      shutdown: { drainDelay: "0s", grace: "1s" },
    },
  });
}, 60_000);

afterAll(async () => {
  await engine?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function get(
  path: string,
): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>>; readonly text: string }> {
  const { status, body } = await send(engine.adminPort, { path });
  expect(body).not.toMatch(new RegExp(`${secret}|${digest}`));
  return { status, body: JSON.parse(body), text: body };
}

test("/config is the configuration in use: merged, everything written out, with who delivered what, without secrets", async () => {
  const { status, body } = await get("/config");
  expect(status).toBe(200);
  const [mine, others] = [join(folder, "ours.yaml"), join(folder, "theirs.yaml")];
  expect(body).toMatchObject({
    generation: { number: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/), since: expect.stringMatching(/^\d{4}-.*Z$/) },
    config: {
      version: 1,
      unmatched: "deny",
      chains: {
        orders: {
          bodyBytesMax: "1MiB",
          steps: [
            {
              name: "auth",
              policy: "api-key-validation@1.0.0",
              parameters: { keys: [{ digest: "[redacted]", owner: "alice" }], realm: "api" },
            },
            {
              when: "request.?json.hasValue()",
              timeout: "1s",
              onError: "deny",
              parameters: { request: [{}, { set: { value: `Bearer \${file:${join(folder, "token")}}` } }] },
            },
          ],
        },
      },
      routes: { "a/b": "orders", health: [], orders: "orders" },
    },
    chains: { orders: { position: `${mine}:4:5`, provider: "file", hash: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    routes: {
      "a/b": { position: `${others}:2:23`, provider: "theirs" },
      health: { position: `${others}:2:11`, provider: "theirs" },
      orders: { position: `${mine}:13:11`, provider: "file" },
    },
  });
});

test("what /config shows is a configuration that does the same, once its secrets are there again", async () => {
  const { text } = await get("/config");
  const document = stringify(parse(text.replaceAll("[redacted]", digest)).config);
  const environment = { ...testEnvironment(testSchemas()), policies, secret: () => ({ value: secret }) };
  const check = (texts: readonly string[]) => {
    const checked = checkConfig(
      texts.map((text, index) => ({ uri: `${index}`, text })),
      environment,
    );
    return "config" in checked ? showConfig(checked.config) : checked.problems;
  };
  expect(check([document])).toEqual(check([ours("gold"), theirs]));
});

test("/routes/NAME says which chain, its steps in order and what Envoy must send; the name may hold what needs escaping", async () => {
  const { status, body } = await get(`/routes/${encodeURIComponent("a/b")}`);
  expect([status, body]).toEqual([
    200,
    expect.objectContaining({
      route: "a/b",
      chain: "orders",
      source: { position: `${join(folder, "theirs.yaml")}:2:23`, provider: "theirs" },
      steps: [
        expect.objectContaining({ name: "auth", source: { position: `${join(folder, "ours.yaml")}:6:9`, provider: "file" } }),
        expect.objectContaining({ name: "set-header", when: "request.?json.hasValue()" }),
      ],
      needs: { requestBody: "buffered", responseHeaders: false, responseBody: "none" },
      processing_mode: expect.objectContaining({
        request_body_mode: "BUFFERED",
        request_trailer_mode: "SEND",
        response_header_mode: "SKIP",
      }),
    }),
  ]);
  expect((await get("/routes/health")).body).toMatchObject({ chain: [], steps: [], needs: { requestBody: "none" } });
});

test("a route that nobody knows is a 404 that says what happens to its requests, and what may be meant", async () => {
  const { status, body } = await get("/routes/order");
  expect([status, body]).toEqual([
    404,
    {
      known: false,
      error: expect.stringContaining("its requests are denied"),
      help: "did you mean `orders`?",
      routes: ["a/b", "health", "orders"],
    },
  ]);
  expect((await get("/routes/")).status).toBe(404);
  expect((await get("/routes/%ff")).status).toBe(400);
  expect((await get("/routes")).body).toMatchObject({ error: "no such path", paths: expect.arrayContaining(["/routes/NAME"]) });
});

test("/generations lists the newest first: why each came, of which deliveries it was made, and which one is in use", async () => {
  const first = (await get("/generations")).body.generations;
  expect(first).toMatchObject([{ number: 1, state: "in use", providers: [{ name: "file" }, { name: "theirs" }] }]);
  writeFileSync(join(folder, "ours.yaml"), ours("silver"));
  await waitFor({ what: "the second generation", timeoutMs: 10_000 }, async () => {
    const { generations } = (await get("/generations")).body;
    return Array.isArray(generations) && generations.length === 2 ? true : undefined;
  });
  expect((await get("/generations")).body.generations).toMatchObject([
    { number: 2, state: "in use", reason: "delivery" },
    { number: 1, state: "kept" },
  ]);
  expect((await get("/config")).body).toMatchObject({ generation: { number: 2 } });
});
