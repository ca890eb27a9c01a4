/** Who may roll back over the admin port, and what they are told. */
import { request as httpRequest } from "node:http";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { type AdminServer, startAdminServer } from "../../src/admin/server.ts";

const servers: AdminServer[] = [];
const asked: (readonly [number, string | undefined])[] = [];
afterEach(async () => {
  asked.length = 0;
  for (const server of servers.splice(0)) await server.close();
});

type Kind = "accepted" | "unchanged" | "refused" | "unknown" | "broken";

async function serve(kind: Kind = "accepted", host = "127.0.0.1"): Promise<AdminServer> {
  const server = await startAdminServer(
    { host, port: 0 },
    {
      readiness: () => ({ ready: true, detail: {} }),
      metrics: () => "",
      config: () => undefined,
      generations: () => ({ generations: [] }),
      route: () => undefined,
      decision: () => undefined,
      explain: () => Promise.reject(new Error("nothing was to be explained")),
      rollback: async (generation, reason) => {
        asked.push([generation, reason]);
        if (kind === "broken") throw new Error("broken");
        return { kind, generation: 5 };
      },
    },
  );
  servers.push(server);
  return server;
}

interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly host?: string;
}

function ask({ host, port }: AdminServer, { method = "POST", path = "/generations/3/rollback", ...rest }: Ask = {}) {
  const headers = rest.headers ?? { "content-type": "application/json" };
  return new Promise<{ readonly status: number | undefined; readonly body: unknown }>((resolve, reject) => {
    const request = httpRequest({ host: rest.host ?? host, port, path, method, headers, agent: false }, async (response) => {
      resolve({ status: response.statusCode, body: JSON.parse(await text(response)) });
    });
    request.on("error", reject);
    request.end(rest.body ?? (method === "POST" ? "{}" : undefined));
  });
}

test("a request from this machine rolls back, with its reason", async () => {
  const server = await serve();
  expect(await ask(server, { body: '{ "reason": "why" }' })).toEqual({ status: 200, body: { kind: "accepted", generation: 5 } });
  expect((await ask(server, { headers: { "content-type": "application/json; charset=utf-8" } })).status).toBe(200);
  expect(asked).toEqual([
    [3, "why"],
    [3, undefined],
  ]);
});

test.each([
  ["unchanged", 200],
  ["refused", 409],
  ["unknown", 404],
] as const)("%s is %d", async (kind, status) => {
  expect(await ask(await serve(kind))).toEqual({ status, body: { kind, generation: 5 } });
});

test("what breaks on the way is said", async () => {
  expect(await ask(await serve("broken"))).toEqual({ status: 500, body: { error: "this page cannot be made: broken" } });
});

describe("nothing is rolled back", () => {
  const json = { "content-type": "application/json" };
  test.each([
    ["another method", { method: "GET" }, 405],
    ["a form of a web page", { headers: { "content-type": "application/x-www-form-urlencoded" } }, 415],
    ["text of a web page", { headers: { "content-type": "text/plain" } }, 415],
    ["no content type", { headers: {} }, 415],
    ["a web page that may send JSON", { headers: { ...json, origin: "http://localhost:9101" } }, 403],
    ["the name of another server", { headers: { ...json, host: "evil.example" } }, 421],
    ["no number", { path: "/generations/three/rollback" }, 405],
    ["a negative number", { path: "/generations/-1/rollback" }, 405],
    ["a body that is no JSON", { body: "reason" }, 400],
    ["a body that is no object", { body: "[]" }, 400],
    ["a key that is not known", { body: '{ "reasn": "why" }' }, 400],
    ["a reason that is no text", { body: '{ "reason": 1 }' }, 400],
    ["a reason that is too long", { body: JSON.stringify({ reason: "x".repeat(501) }) }, 400],
    ["a body that is too long", { body: JSON.stringify({ reason: "x".repeat(10_000) }) }, 400],
  ] as const)("by %s", async (_what, request, status) => {
    expect((await ask(await serve(), request)).status).toBe(status);
    expect(asked).toEqual([]);
  });

  const other = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === "IPv4" && !one.internal);

  test.skipIf(other === undefined)(
    `from another address than loopback${other === undefined ? " (skipped: this machine has none)" : ""}`,
    async () => {
      const server = await serve("accepted", "0.0.0.0");
      expect((await ask(server, { host: other?.address ?? "" })).status).toBe(403);
      expect((await ask(server, { host: "127.0.0.1" })).status).toBe(200);
    },
  );
});
