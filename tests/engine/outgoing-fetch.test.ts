/** What policies may call, against real servers on loopback. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { portOf } from "../../scripts/processes/free-port.ts";
import { outgoingFetch } from "../../src/engine/outgoing-fetch.ts";
import { certificateAuthority, serverCertificate } from "../support/certificates.ts";

let handle: (request: IncomingMessage, response: ServerResponse) => void = () => {};
let server: Server;
let origin: string;
let seen: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    handle(request, response);
  });
  await listening(server);
  origin = `http://127.0.0.1:${portOf(server)}`;
});

afterAll(() => ended(server));

const answer = (how: typeof handle): void => {
  seen = [];
  handle = how;
};

test("the answer is a response with its status, its headers and its body", async () => {
  answer((_, response) => response.writeHead(201, { "x-a": ["1", "2"], "content-type": "text/plain" }).end("hellö"));
  const response = await outgoingFetch(`${origin}/a?b=c`, {});
  expect([response.status, response.headers.get("x-a"), await response.text()]).toEqual([201, "1, 2", "hellö"]);
  expect(seen).toEqual(["GET /a?b=c"]);
});

test("method, headers and body arrive", async () => {
  let body = "";
  answer((request, response) => {
    request.on("data", (chunk: Buffer) => {
      body += `${request.headers["x-a"]} ${chunk.toString()}`;
    });
    request.on("end", () => response.writeHead(204).end());
  });
  expect((await outgoingFetch(origin, { method: "PUT", headers: { "X-A": "1" }, body: "text" })).status).toBe(204);
  expect([seen, body]).toEqual([["PUT /"], "1 text"]);
});

describe("refused", () => {
  test.each([301, 302, 303, 307, 308])("a redirect, %d, is not followed", async (status) => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    answer((request, response) => {
      response.on("close", resolve);
      response.writeHead(request.url === "/" ? status : 200, { location: "/elsewhere" }).write("a body without an end");
    });
    await expect(outgoingFetch(origin, {})).rejects.toThrow("redirects are refused");
    await closed;
    expect(seen).toEqual(["GET /"]);
  });

  test("a body that says it is too large is not read", async () => {
    answer((_, response) => response.writeHead(200, { "content-length": 11 }).write("a"));
    await expect(outgoingFetch(origin, { bodyBytesMax: 10 })).rejects.toThrow("larger than 10 bytes");
  });

  test("a body that becomes too large is broken off", async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    answer((_, response) => {
      response.on("close", resolve);
      const more = (): void => void (response.writable && response.write("x".repeat(1000), () => setTimeout(more, 1)));
      more();
    });
    await expect(outgoingFetch(origin, { bodyBytesMax: 10_000 })).rejects.toThrow("larger than 10000 bytes");
    await closed;
  });

  test("the largest body that fits is taken, and by default it may have 1 MiB", async () => {
    answer((_, response) => response.end("x".repeat(10)));
    expect(await (await outgoingFetch(origin, { bodyBytesMax: 10 })).text()).toHaveLength(10);
    answer((_, response) => response.end("x".repeat(1024 * 1024 + 1)));
    await expect(outgoingFetch(origin, {})).rejects.toThrow("larger than 1048576 bytes");
  });

  test("a body that breaks off", async () => {
    answer((_, response) => {
      response.writeHead(200, { "content-length": 10 });
      response.write("half");
      setTimeout(() => response.destroy(), 20);
    });
    await expect(outgoingFetch(origin, {})).rejects.toThrow();
  });

  test("an encoded body", async () => {
    answer((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("x"));
    await expect(outgoingFetch(origin, {})).rejects.toThrow("encoded (gzip)");
  });

  test("an answer that changes the protocol", async () => {
    const switching = createServer();
    switching.on("connection", (socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"));
    });
    await listening(switching);
    const call = outgoingFetch(`http://127.0.0.1:${portOf(switching)}`, { signal: AbortSignal.timeout(500) });
    await expect(call).rejects.toThrow("another protocol (101)");
    await ended(switching);
  });

  test("another protocol", async () => {
    await expect(outgoingFetch("ftp://127.0.0.1/a", {})).rejects.toThrow("http or https, not ftp");
    await expect(outgoingFetch("file:///etc/passwd", {})).rejects.toThrow("http or https, not file");
  });

  test("nobody there; the message names the origin and nothing of path and query", async () => {
    const error = await outgoingFetch("http://127.0.0.1:1/path?secret=x", {}).catch((thrown: unknown) => String(thrown));
    expect(error).toContain("GET http://127.0.0.1:1: ");
    expect(error).not.toContain("secret");
  });

  test.each(["headers", "the body"])("when the time is over while waiting for %s", async (where) => {
    answer((_, response) => void (where === "headers" || response.writeHead(200).write("a")));
    const started = performance.now();
    await expect(outgoingFetch(origin, { signal: AbortSignal.timeout(100) })).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test("when the time was over before", async () => {
    await expect(outgoingFetch(origin, { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});

describe("a private CA", () => {
  const authority = certificateAuthority("authority");
  const another = certificateAuthority("another");
  const { pem: cert, privateKey } = serverCertificate("localhost", authority);
  const secure = createTlsServer({ cert, key: privateKey.export({ format: "pem", type: "pkcs8" }) }, (_, response) =>
    response.end("secure"),
  );

  beforeAll(() => listening(secure));
  afterAll(() => ended(secure));

  const get = (host: string, ca?: string) => outgoingFetch(`https://${host}:${portOf(secure)}/`, ca === undefined ? {} : { ca });

  test("vouches for its server", async () => {
    expect(await (await get("localhost", authority.pem)).text()).toBe("secure");
  });

  test("without it, and with another one, there is no answer, also after a good call on the same address", async () => {
    await get("localhost", authority.pem);
    await expect(get("localhost")).rejects.toThrow(/certificate/);
    await expect(get("localhost", another.pem)).rejects.toThrow(/certificate/);
  });

  test("does not vouch for another name", async () => {
    await expect(get("127.0.0.1", authority.pem)).rejects.toThrow(/127\.0\.0\.1/);
  });

  test("a text that is no certificate is refused", async () => {
    await expect(get("localhost", "no certificate")).rejects.toThrow();
  });
});

function listening(one: Server): Promise<void> {
  return new Promise((resolve) => one.listen(0, "127.0.0.1", resolve));
}

function ended(one: Server): Promise<void> {
  return new Promise((resolve) => {
    one.close(() => resolve());
    one.closeAllConnections();
  });
}
