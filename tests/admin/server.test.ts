import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { type AdminServer, type AdminSources, startAdminServer } from "../../src/admin/server.ts";

const servers: AdminServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const quiet: AdminSources = {
  readiness: () => ({ ready: true, detail: {} }),
  metrics: () => "",
  config: () => undefined,
  generations: () => ({ generations: [] }),
  route: () => undefined,
  decision: () => undefined,
  explain: () => Promise.reject(new Error("nothing was to be explained")),
  rollback: () => Promise.reject(new Error("no rollback was expected")),
};

async function serve(sources: Partial<AdminSources> = {}, host = "127.0.0.1"): Promise<AdminServer> {
  const server = await startAdminServer({ host, port: 0 }, { ...quiet, ...sources });
  servers.push(server);
  return server;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function ask({ host, port }: AdminServer, path: string, { method = "GET", headers = {}, body }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host, port, path, method, headers, agent: false }, async (response) => {
      resolve({ status: response.statusCode, headers: response.headers, body: await text(response) });
    });
    request.on("error", reject);
    request.end(body);
  });
}

const json = (answer: Answer): unknown => JSON.parse(answer.body);

describe("pages", () => {
  test("/healthz is 200 also when nothing is ready", async () => {
    const answer = await ask(await serve({ readiness: () => ({ ready: false, detail: {} }) }), "/healthz");
    expect([answer.status, json(answer)]).toEqual([200, { status: "ok" }]);
  });

  test("/readyz is 200 or 503, with the facts, as they are now", async () => {
    let ready = false;
    const server = await serve({ readiness: () => ({ ready, detail: { generation: ready ? 1 : undefined, probes: [] } }) });
    const before = await ask(server, "/readyz");
    ready = true;
    const after = await ask(server, "/readyz");
    expect([before.status, json(before)]).toEqual([503, { ready: false, probes: [] }]);
    expect([after.status, json(after)]).toEqual([200, { ready: true, generation: 1, probes: [] }]);
  });

  test("/metrics is the text under its content type, in UTF-8", async () => {
    const answer = await ask(await serve({ metrics: () => 'a{chain="é"} 1\n' }), "/metrics?x=1");
    expect([answer.status, answer.headers["content-type"], answer.body]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
      'a{chain="é"} 1\n',
    ]);
  });

  test("/decisions/ID is what is kept, its id decoded; 404 with what can be done where nothing is", async () => {
    const server = await serve({ decision: (id) => (id === "a/b c" ? { id, steps: [] } : undefined) });
    const found = await ask(server, "/decisions/a%2Fb%20c");
    expect([found.status, json(found)]).toEqual([200, { id: "a/b c", steps: [] }]);
    for (const path of ["/decisions/other", "/decisions/", "/decisions/%zz"]) {
      const answer = await ask(server, path);
      expect([answer.status, json(answer)]).toEqual([404, { error: expect.stringContaining("`recording: { exchangesMax: 100 }`") }]);
    }
  });

  test("without a valid configuration /config and /routes/NAME are 503, and /generations is an empty list", async () => {
    const server = await serve();
    for (const path of ["/config", "/routes/a"]) {
      const answer = await ask(server, path);
      expect([answer.status, json(answer)]).toEqual([503, { error: "there is no valid configuration yet: `/readyz` says why" }]);
    }
    const answer = await ask(server, "/generations");
    expect([answer.status, json(answer)]).toEqual([200, { generations: [] }]);
  });

  test.each(["/", "/healthz/", "/HEALTHZ", "/config/", "http://127.0.0.1/healthz"])("%s is 404 and lists the paths", async (path) => {
    const answer = await ask(await serve(), path);
    expect([answer.status, json(answer)]).toEqual([
      404,
      {
        error: "no such path",
        paths: [
          "/healthz",
          "/readyz",
          "/metrics",
          "/config",
          "/generations",
          "/routes/NAME",
          "/decisions/ID",
          "POST /explain",
          "POST /generations/N/rollback",
        ],
      },
    ]);
  });

  test("a page that cannot be made is a 500, and the server goes on", async () => {
    const broken = (): never => {
      throw new Error("collector broken");
    };
    const server = await serve({ metrics: broken, readiness: broken, decision: () => ({ number: 1n }) });
    for (const path of ["/metrics", "/readyz", "/decisions/x"]) expect((await ask(server, path)).status).toBe(500);
    expect(json(await ask(server, "/metrics"))).toEqual({ error: "this page cannot be made: collector broken" });
    expect((await ask(server, "/healthz")).status).toBe(200);
  });

  test("every answer forbids caching and sniffing and allows no other origin", async () => {
    const server = await serve();
    for (const path of ["/healthz", "/readyz", "/metrics", "/nothing"]) {
      const { headers } = await ask(server, path, { headers: { origin: "https://elsewhere.example" } });
      expect(headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });
});

describe("methods", () => {
  test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("%s is 405, whatever body comes with it", async (method) => {
    const answer = await ask(await serve(), "/healthz", { method, body: "x".repeat(1000), headers: { connection: "keep-alive" } });
    expect([answer.status, answer.headers.allow, answer.headers.connection]).toEqual([405, "GET, HEAD", "close"]);
  });

  test("HEAD is GET without the body", async () => {
    const server = await serve({ metrics: () => "a 1\n" });
    for (const path of ["/healthz", "/metrics", "/nothing"]) {
      const [get, head] = [await ask(server, path), await ask(server, path, { method: "HEAD" })];
      expect(head).toMatchObject({ status: get.status, body: "" });
      expect(head.headers["content-length"]).toBe(String(Buffer.byteLength(get.body)));
    }
  });
});

describe("the Host header", () => {
  const status = async (server: AdminServer, host: string): Promise<number | undefined> =>
    (await ask(server, "/metrics", { headers: { host } })).status;

  test.each(["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:9101", "[::1]:9101", "127.1.2.3"])("%s is answered", async (host) => {
    expect(await status(await serve(), host)).toBe(200);
  });

  test.each(["attacker.example", "localhost.attacker.example", "127.0.0.1.attacker.example", "10.0.0.1", "[::2]", "localhost:80:80"])(
    "`%s` is refused on loopback: DNS rebinding",
    async (host) => {
      expect(await status(await serve(), host)).toBe(421);
    },
  );

  test("any is answered on an address that is open on purpose", async () => {
    const server = await startAdminServer({ host: "0.0.0.0", port: 0 }, quiet);
    servers.push(server);
    expect((await ask({ ...server, host: "127.0.0.1" }, "/metrics", { headers: { host: "engine.internal" } })).status).toBe(200);
  });
});

describe("starting and closing", () => {
  test("port 0 becomes a real one; an address in use is refused by name", async () => {
    const { port } = await serve();
    expect(port).toBeGreaterThan(0);
    await expect(startAdminServer({ host: "127.0.0.1", port }, quiet)).rejects.toThrow(
      `cannot listen on tcp:127.0.0.1:${port}: listen EADDRINUSE`,
    );
  });

  test("close does not wait for connections that are kept alive, and is idempotent", async () => {
    const server = await serve();
    const agent = new Agent({ keepAlive: true });
    await new Promise((resolve, reject) => {
      const request = httpRequest({ port: server.port, host: server.host, path: "/healthz", agent }, (response) => resolve(text(response)));
      request.on("error", reject).end();
    });
    const startedAt = performance.now();
    await Promise.all([server.close(), server.close()]);
    expect(performance.now() - startedAt).toBeLessThan(900);
    await server.close();
    agent.destroy();
    await expect(ask(server, "/healthz")).rejects.toThrow("ECONNREFUSED");
  });

  test("a request that never ends is cut after a second", async () => {
    const server = await serve();
    const socket = connect(server.port, server.host);
    socket.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n");
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const startedAt = performance.now();
    await server.close();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await closed;
  });

  test("headers beyond 8 KiB are refused, and more than 64 connections are not taken", async () => {
    const server = await serve();
    expect((await ask(server, "/healthz", { headers: { "x-long": "x".repeat(9000) } })).status).toBe(431);
    const idle = await Promise.all(
      Array.from({ length: 64 }, async () => {
        const socket = connect(server.port, server.host);
        await new Promise((resolve) => socket.once("connect", resolve));
        return socket;
      }),
    );
    await expect(ask(server, "/healthz")).rejects.toThrow(/socket hang up|ECONNRESET/);
    for (const socket of idle) socket.destroy();
    await expect
      .poll(
        () =>
          ask(server, "/healthz").then(
            ({ status }) => status,
            () => undefined,
          ),
        { timeout: 10_000 },
      )
      .toBe(200);
  });
});
