/** The HTTP provider against real servers, by what traffic gets. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseSettings } from "../../src/config/settings.ts";
import { registrationsOf } from "../../src/engine/registrations.ts";
import { createSecrets } from "../../src/generations/secrets.ts";
import { codeProvider } from "../../src/providers/code.ts";
import { pollDelayMs, retryDelayMs } from "../../src/providers/pace.ts";
import { eventually } from "../files/recorder.ts";
import { certificateAuthority, serverCertificate } from "../support/certificates.ts";
import { type ConfigServer, etagOf, type Respond, startConfigServer, yaml } from "../support/config-server.ts";
import { type ConfiguredEngine, configuredEngine, stamping } from "../support/configured-engine.ts";
import { countedChains, countsAfter, type Told, toldCounts } from "../support/counted-chains.ts";
import { createTestClock, type TestClock } from "../support/test-clock.ts";

let root: string;
const ends: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "http-"));
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  rmSync(root, { recursive: true, force: true });
});

interface Stage extends ConfiguredEngine {
  readonly server: ConfigServer;
  readonly clock: TestClock;
  /** Lets time pass until the condition holds. */
  next(what: string, condition: () => boolean | Promise<boolean>): Promise<void>;
  /** The provider as the registry sees it. */
  provider(): { readonly failure: string | undefined; readonly problems: number; readonly version: string | undefined };
}

async function serve(
  respond: Respond,
  ...more: readonly [port?: number, tls?: Parameters<typeof startConfigServer>[2]]
): Promise<ConfigServer> {
  const server = await startConfigServer(respond, ...more);
  ends.push(server.stop);
  return server;
}

/** @param http what else the provider's settings say, as YAML */
async function start(server: ConfigServer, http = "", more: { readonly urls?: string; readonly secrets?: string } = {}): Promise<Stage> {
  const urls = more.urls ?? `http://127.0.0.1:${server.port}/policies.yaml?signature=hush`;
  const text = `version: 1\nproviders: [{ http: { urls: [${urls}], ${http} } }]\n${more.secrets ?? ""}`;
  const parsed = parseSettings({ uri: "settings.yaml", text }, root);
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  const clock = createTestClock(0);
  const timeoutMs = http.includes("timeout") ? 5_000 : 10_000;
  /** Questions that have no answer yet: the deadline of each is a timer. */
  let underWay = 0;
  const registrations = registrationsOf(parsed.settings, {
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    secrets: createSecrets({}),
    policies: new Map(),
    startTimer(milliseconds, expired) {
      if (milliseconds !== timeoutMs) return clock.startTimer(milliseconds, expired);
      underWay += 1;
      const stop = clock.startTimer(milliseconds, expired);
      return () => {
        underWay -= 1;
        stop();
      };
    },
    random: () => 0.5,
  });
  const engine = await configuredEngine({ registrations, variables: { ALLOWED: "allowed", OTHER: "other" } });
  ends.push(engine.configuration.close);
  await engine.configuration.start();
  const provider = () => {
    const [state] = engine.configuration.registry.state();
    if (state === undefined) throw new Error("there is no provider");
    return state;
  };
  return {
    ...engine,
    server,
    clock,
    provider,
    next: (what, condition) =>
      eventually(what, async () => {
        if (await condition()) return true;
        // While a question is under way the time stands still, so that no machine is too slow.
        if (underWay === 0) await clock.advance(1_000);
        return false;
      }),
  };
}

const gives = (stage: Stage, stamp: string) => async (): Promise<boolean> => (await stage.ask("orders")) === stamp;

test("the first document is in use when the start has ended, and a change with the next question", async () => {
  const stage = await start(await serve(yaml(stamping("one"))));
  expect(await stage.ask("orders")).toBe("one");
  stage.server.answer(yaml(stamping("two")));
  await stage.next("the change", gives(stage, "two"));
  expect(stage.server.asked.map(({ path }) => path)).toEqual(["/policies.yaml?signature=hush", "/policies.yaml?signature=hush"]);
  expect(stage.configuration.generations.current()?.config.chains.get("orders")?.position.uri).toBe(
    `http://127.0.0.1:${stage.server.port}/policies.yaml`,
  );
});

test("what has not changed is not sent again where the server knows ETags, and not applied again where it does not", async () => {
  const stage = await start(await serve(yaml(stamping("one"))));
  await stage.next("the second question", () => stage.server.asked.length === 2);
  expect(stage.server.asked.map(({ etag }) => etag)).toEqual([undefined, etagOf(stamping("one"))]);
  stage.server.answer(yaml(stamping("one"), {}));
  await stage.next("the third question", () => stage.server.asked.length === 3);
  await stage.next("the fourth question", () => stage.server.asked.length === 4);
  expect(stage.server.asked.at(-1)?.etag).toBe(undefined);
  expect(stage.configuration.reloader.state()).toMatchObject({ accepted: 1, unchanged: 0 });
});

const endless: Respond = (_, response) => {
  response.writeHead(200, { "content-type": "application/yaml", "transfer-encoding": "chunked" });
  const more = (): void => {
    if (!response.destroyed && response.write("#".repeat(64 * 1024))) setImmediate(more);
  };
  response.on("drain", more);
  more();
};

const wrongs: readonly (readonly [what: string, respond: Respond, failure: string])[] = [
  ["another status", (_, response) => response.writeHead(503).end("no"), "the server answers 503, not 200"],
  ["no such page", (_, response) => response.writeHead(404, { "content-type": "application/yaml" }).end(stamping("x")), "answers 404"],
  ["an empty answer", (_, response) => response.writeHead(204).end(), "answers 204"],
  ["304 without a question", (_, response) => response.writeHead(304).end(), "answers 304"],
  ["a redirect", (_, response) => response.writeHead(302, { location: "/elsewhere" }).end(), "redirects are refused"],
  ["a page for people", yaml("<html>log in</html>", { "content-type": "text/html" }), "the content type is `text/html`, not one of"],
  ["no content type", (_, response) => response.writeHead(200).end(stamping("x")), "the content type is ``"],
  ["another encoding", yaml(stamping("x"), { "content-type": "text/yaml; charset=latin1" }), "the text is not UTF-8 but `charset=latin1`"],
  [
    "bytes that are no text",
    (_, response) => response.writeHead(200, { "content-type": "text/yaml" }).end(Buffer.of(0xc3, 0x28)),
    "the text is not UTF-8",
  ],
  [
    "a compressed answer",
    yaml("x", { "content-type": "text/yaml", "content-encoding": "gzip" }),
    "the body is encoded (gzip), which was not asked for",
  ],
  [
    "an answer cut short",
    (_, response) => {
      response.writeHead(200, { "content-type": "text/yaml", "content-length": "1000" }).write(stamping("cut"));
      setImmediate(() => response.destroy());
    },
    "aborted",
  ],
  [
    "a chunked answer cut short",
    (_, response) => {
      response.writeHead(200, { "content-type": "text/yaml" }).write(stamping("cut"));
      setImmediate(() => response.destroy());
    },
    "aborted",
  ],
  [
    "an answer that ends with its connection",
    (request) => request.socket.end(`HTTP/1.1 200 OK\r\ncontent-type: text/yaml\r\nconnection: close\r\n\r\n${stamping("cut")}`),
    "does not say how long it is",
  ],
  ["a declared size that is too large", yaml("x".repeat(5 * 1024 ** 2)), "the body is larger than 4194304 bytes"],
  ["an answer without an end", endless, "the body is larger than 4194304 bytes"],
  ["no HTTP at all", (request) => request.socket.end("SSH-2.0-OpenSSH\r\n"), "Parse Error"],
  ["a connection that is closed", (request) => request.socket.destroy(), "socket hang up"],
];

describe("an answer that is not clearly a whole document is the source's failure: what is in use stays, until it is mended", () => {
  test.each(wrongs)("%s", async (_what, respond, failure) => {
    const stage = await start(await serve(yaml(stamping("one"), {})));
    stage.server.answer(respond);
    await stage.next("the failure", () => stage.provider().failure !== undefined);
    expect(stage.provider().failure).toContain(failure);
    expect(stage.provider().failure).toMatch(/^cannot read `http:\/\/127\.0\.0\.1:\d+\/policies\.yaml`: /);
    expect(await stage.ask("orders")).toBe("one");
    stage.server.answer(yaml(stamping("two")));
    await stage.next("the mended document", gives(stage, "two"));
    expect(stage.provider().failure).toBe(undefined);
  });
});

describe("a document that is refused changes nothing, and is not tried again until it changes", () => {
  test.each([
    ["garbage", "\u0000\u0001{{{"],
    ["another type", "- a list"],
    ["nothing", ""],
    ["an unknown policy", stamping("x").replace("script@1", "scrpt@1")],
    ["half a document", stamping("x").slice(0, -30)],
  ])("%s", async (_what, text) => {
    const stage = await start(await serve(yaml(stamping("one"))));
    stage.server.answer(yaml(text, { etag: '"2"' }));
    await stage.next("the refusal", () => stage.provider().problems > 0);
    expect(await stage.ask("orders")).toBe("one");
    const { refused } = stage.configuration.reloader.state();
    await stage.next("one more question", () => stage.server.asked.length === 3);
    expect(stage.configuration.reloader.state().refused).toEqual(refused);
    stage.server.answer(yaml(stamping("two")));
    await stage.next("the mended document", gives(stage, "two"));
  });
});

describe("a server that is slow, hangs, or is gone", () => {
  test("hanging before or in the middle of an answer is a failure after the timeout, and the next question comes all the same", async () => {
    const stage = await start(await serve(yaml(stamping("one"))), "timeout: 5s");
    for (const respond of [
      () => {},
      (_: unknown, response: Parameters<Respond>[1]) =>
        void response.writeHead(200, { "content-type": "text/yaml", "content-length": "1000" }).write("version: 1\n"),
    ]) {
      stage.server.answer(respond);
      const before = stage.server.asked.length;
      await stage.next("the question", () => stage.server.asked.length > before);
      await stage.clock.advance(5_000);
      await eventually("the failure", () => stage.provider().failure?.endsWith("there is no whole answer within 5000 ms") === true);
      expect(await stage.ask("orders")).toBe("one");
      stage.server.answer(yaml(stamping("one")));
      await stage.next("the server to be back", () => stage.provider().failure === undefined);
    }
  });

  test("slow is not hanging: an answer in many pieces is whole in the end", async () => {
    const stage = await start(await serve(yaml(stamping("one"))));
    stage.server.answer((_, response) => {
      response.writeHead(200, { "content-type": "text/yaml" });
      const pieces = stamping("two").match(/.{1,10}/gs) ?? [];
      const next = (): void => {
        const piece = pieces.shift();
        if (piece === undefined) response.end();
        else response.write(piece, () => setImmediate(next));
      };
      next();
    });
    await stage.next("the whole document", gives(stage, "two"));
  });

  test("gone at the start: nothing is served; back: it is in use soon, long before the interval is over", async () => {
    const first = await serve(yaml(stamping("one")));
    await first.stop();
    const stage = await start(first);
    expect(await stage.ask("orders")).toBe("not-ready");
    expect(stage.provider().failure).toContain("ECONNREFUSED");
    await serve(yaml(stamping("one")), first.port);
    await stage.clock.advance(1_000);
    await eventually("the first document", gives(stage, "one"));
  });

  test("gone and back, with an older state and a lower version: the server decides", async () => {
    const stage = await start(await serve(yaml(stamping("two"), { etag: '"2"' })));
    await stage.server.stop();
    await stage.next("the failure", () => stage.provider().failure !== undefined);
    expect(await stage.ask("orders")).toBe("two");
    await serve(yaml(stamping("one"), { etag: '"1"' }), stage.server.port);
    await stage.next("the older state", gives(stage, "one"));
  });

  test("back with an ETag used twice, for another document: content decides, where the server sends it", async () => {
    const stage = await start(await serve(yaml(stamping("one"), { etag: 'W/"1"' })));
    stage.server.answer((_, response) => response.writeHead(200, { "content-type": "text/yaml", etag: 'W/"1"' }).end(stamping("two")));
    await stage.next("the other document", gives(stage, "two"));
  });
});

describe("several documents", () => {
  test("are one configuration, and one that cannot be read holds back all", async () => {
    const routes = "version: 1\nroutes: { users: orders }\n";
    let users: Respond = yaml(routes);
    const server = await serve((request, response) => (request.url === "/users" ? users : yaml(stamping("one")))(request, response));
    const origin = `http://127.0.0.1:${server.port}`;
    const stage = await start(server, "", { urls: `${origin}/orders, ${origin}/users` });
    expect([await stage.ask("orders"), await stage.ask("users")]).toEqual(["one", "one"]);
    server.answer((request, response) => (request.url === "/users" ? users : yaml(stamping("two")))(request, response));
    users = (_, response) => response.writeHead(500).end();
    await stage.next("the failure", () => stage.provider().failure?.includes("/users") === true);
    expect([await stage.ask("orders"), await stage.ask("users")]).toEqual(["one", "one"]);
    users = yaml(routes);
    await stage.next("both", gives(stage, "two"));
  });
});

describe("TLS and tokens", () => {
  const authority = certificateAuthority("Private CA");
  const other = certificateAuthority("Another CA");

  function withTls(certificate: ReturnType<typeof serverCertificate>): Parameters<typeof startConfigServer>[2] {
    return { key: certificate.privateKey.export({ format: "pem", type: "pkcs8" }), cert: certificate.pem };
  }

  test("a private CA vouches for the server; another one does not, until its file is replaced", async () => {
    writeFileSync(join(root, "ca.pem"), other.pem);
    const server = await serve(yaml(stamping("one")), 0, withTls(serverCertificate("localhost", authority)));
    const stage = await start(server, "tls: { ca: ca.pem }", { urls: `https://localhost:${server.port}/policies.yaml` });
    expect(stage.provider().failure).toMatch(/cannot read `https:\/\/localhost:\d+\/policies\.yaml`: .*(certificate|signature)/);
    expect(await stage.ask("orders")).toBe("not-ready");
    writeFileSync(join(root, "ca.pem"), authority.pem);
    await stage.next("the document", gives(stage, "one"));
    rmSync(join(root, "ca.pem"));
    await stage.next("the failure", () => stage.provider().failure?.includes("cannot read") === true);
    expect(stage.provider().failure).toContain("ca.pem`: ENOENT");
    expect(await stage.ask("orders")).toBe("one");
  });

  test("a certificate for another host is refused", async () => {
    writeFileSync(join(root, "ca.pem"), authority.pem);
    const server = await serve(yaml(stamping("one")), 0, withTls(serverCertificate("elsewhere.example", authority)));
    const stage = await start(server, "tls: { ca: ca.pem }", { urls: `https://localhost:${server.port}/policies.yaml` });
    expect(stage.provider().failure).toContain("Hostname/IP does not match certificate's altnames");
  });

  test("a server that asks for our certificate gets it", async () => {
    const client = serverCertificate("engine", authority);
    writeFileSync(join(root, "ca.pem"), authority.pem);
    writeFileSync(join(root, "client.pem"), client.pem);
    writeFileSync(join(root, "client.key"), client.privateKey.export({ format: "pem", type: "pkcs8" }));
    const tls = { ...withTls(serverCertificate("localhost", authority)), ca: authority.pem, requestCert: true, rejectUnauthorized: true };
    const server = await serve(yaml(stamping("one")), 0, tls);
    const urls = `https://localhost:${server.port}/policies.yaml`;
    const without = await start(server, "tls: { ca: ca.pem }", { urls });
    expect(without.provider().failure).toBeDefined();
    const stage = await start(server, "tls: { ca: ca.pem, certificate: client.pem, key: client.key }", { urls });
    expect(await stage.ask("orders")).toBe("one");
  });

  test("the token is read for each question, and appears nowhere", async () => {
    writeFileSync(join(root, "token"), "first-token\n");
    const stage = await start(await serve(yaml(stamping("one"))), `token: "\${file:${root}/token}"`);
    writeFileSync(join(root, "token"), "second-token\n");
    await stage.next("the second question", () => stage.server.asked.length === 2);
    expect(stage.server.asked.map(({ authorization }) => authorization)).toEqual(["Bearer first-token", "Bearer second-token"]);
    rmSync(join(root, "token"));
    await stage.next("the failure", () => stage.provider().failure !== undefined);
    expect(stage.provider().failure).toContain(`the token \${file:${root}/token} cannot be read: the file cannot be read: ENOENT`);
    expect(JSON.stringify([stage.log, stage.configuration.state()])).not.toMatch(/first-token|second-token|hush/);
  });
});

test("text from a web server may only use secrets that the settings allow", async () => {
  const allowed = stamping("${env:ALLOWED}");
  const stage = await start(await serve(yaml(allowed)), "", { secrets: 'secrets: { allow: ["env:ALLOWED"] }' });
  expect(await stage.ask("orders")).toBe("allowed");
  stage.server.answer(yaml(stamping("${env:OTHER}")));
  await stage.next("the refusal", () => stage.provider().problems > 0);
  expect(stage.configuration.reloader.state().problems.map(({ code }) => code)).toEqual(["secret-not-allowed"]);
  expect(await stage.ask("orders")).toBe("allowed");
});

describe("statistics", () => {
  /** Takes reports like this, and answers everything else with a document. */
  function taking(text: string, status = 204): { readonly respond: Respond; readonly reports: Told[] } {
    const reports: Told[] = [];
    const respond: Respond = (request, response) => {
      if (request.method !== "POST") return yaml(text)(request, response);
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        if (status < 300) reports.push(JSON.parse(Buffer.concat(chunks).toString()));
        response.writeHead(status).end();
      });
    };
    return { respond, reports };
  }
  const reporting = (server: ConfigServer): string => `report: "http://127.0.0.1:${server.port}/statistics?signature=hush", timeout: 5s`;

  test("go back with each question and say what was sent: totals per chain and step, generations, versions", async () => {
    const { respond, reports } = taking(countedChains);
    const server = await serve(respond);
    const stage = await start(server, reporting(server));
    expect(server.asked.map(({ path }) => path)).toEqual(["/policies.yaml?signature=hush"]);
    for (let count = 0; count < 7; count++) await stage.ask("orders");
    for (let count = 0; count < 3; count++) await stage.ask("secrets");
    await stage.ask("nowhere");
    await stage.next("a report", () => reports.length === 1);
    expect(toldCounts(reports[0] ?? {})).toEqual(countsAfter(7, 3));
    expect(reports[0]).toMatchObject({ provider: "http", node: hostname(), generation: 1, omittedChains: 0 });
    expect(reports[0]?.generations).toMatchObject([{ number: 1, version: stage.provider().version, exchanges: 11 }]);

    server.answer(taking(countedChains, 500).respond);
    await stage.ask("orders");
    await stage.next("a report that is lost", () => stage.log.some(({ msg }) => String(msg).includes("did not take the statistics")));
    const next = taking(countedChains.replace('"one"', '"two"'));
    server.answer(next.respond);
    await stage.next("the change", gives(stage, "two"));
    await stage.next("a report of it", () => next.reports.at(-1)?.generation === 2);
    expect(next.reports.at(-1)?.generations?.map(({ number }) => number)).toEqual([2, 1]);
    const [newest, first] = next.reports.at(-1)?.generations ?? [];
    expect(newest?.version).toBe(stage.provider().version);
    expect(first?.version).not.toBe(newest?.version);
    // Another generation and other parameters: the counts go on.
    const counted = (newest?.exchanges ?? 0) + (first?.exchanges ?? 0);
    expect(next.reports.at(-1)?.chains?.map(({ exchanges }) => exchanges)).toEqual([counted - 4, 3, 0]);
  });

  test("say what became of what was read last, and why; another provider's change changes it", async () => {
    const code = codeProvider("code");
    const { respond, reports } = taking(stamping("one"));
    const server = await serve(respond);
    const stage = await start(server, reporting(server));
    const delivered = () => reports.at(-1)?.delivered;
    await stage.next("a report", () => delivered()?.outcome === "in-use");
    await stage.configuration.registry.register({ provider: code, reads: "code", precedence: 0, mayUseSecret: () => true });
    await code.push([{ uri: "pushed", text: "version: 1\nroutes: { users: orders }\n" }], "");
    const second = taking(`${stamping("two")}  users: []\n`.replace("routes: { orders: orders }", "routes:\n  orders: orders"));
    server.answer(second.respond);
    await stage.next("the refusal", () => second.reports.at(-1)?.delivered?.outcome === "refused");
    const refused = second.reports.at(-1)?.delivered;
    expect(refused?.refusal).toMatch(/^pushed at routes\.users: |policies\.yaml at routes\.users: /);
    expect(await stage.ask("orders")).toBe("one");
    await code.push([{ uri: "pushed", text: "version: 1\nroutes: { others: orders }\n" }], "");
    expect(await stage.ask("orders")).toBe("two");
    await stage.next("the next report", () => second.reports.at(-1)?.delivered?.outcome === "in-use");
    expect(second.reports.at(-1)?.delivered).toEqual({ version: refused?.version, outcome: "in-use", refusal: null });
  });

  test.each<readonly [string, Respond, string]>([
    ["refused", (_, response) => response.writeHead(500).end(), "the server answers 500, not 2xx"],
    ["sent elsewhere", (_, response) => response.writeHead(302, { location: "/" }).end(), "redirects are refused"],
    ["cut off", (request) => request.socket.destroy(), "socket hang up"],
    ["answered without an end", endless, "the body is larger"],
  ])("a report that is %s is a line in the log, and no question and no exchange suffers", async (_what, respond, failure) => {
    const server = await serve((request, response) => (request.method === "POST" ? respond : yaml(stamping("one")))(request, response));
    const stage = await start(server, reporting(server));
    const reportFailure = () => stage.configuration.registry.state()[0]?.reportFailure;
    await stage.next("the failure", () => reportFailure() !== undefined);
    expect(reportFailure()).toContain(failure);
    expect(reportFailure()).toMatch(/^cannot report to `http:\/\/127\.0\.0\.1:\d+\/statistics`: /);
    expect(stage.provider().failure).toBe(undefined);
    server.answer(taking(stamping("two")).respond);
    await stage.next("the next document", gives(stage, "two"));
    await stage.next("a report that is taken", () => reportFailure() === undefined);
    expect(stage.log.filter(({ msg }) => String(msg).includes("did not take the statistics"))).toHaveLength(1);
    expect(JSON.stringify(stage.log)).not.toContain("hush");
  });

  test("a report that hangs holds up no question, and no second one is sent beside it", async () => {
    const server = await serve((request, response) => {
      if (request.method !== "POST") yaml(stamping("one"))(request, response);
    });
    const stage = await start(server, `${reporting(server)}, interval: 1s`);
    const posted = () => server.asked.filter(({ path }) => path.startsWith("/statistics")).length;
    const asked = () => server.asked.length - posted();
    for (let second = 0; second < 4; second++) {
      const before = asked();
      await stage.clock.advance(1_000);
      await eventually("the next question", () => asked() > before);
    }
    expect(posted()).toBe(1);
    await stage.clock.advance(5_000);
    await eventually("the failure", () => stage.configuration.registry.state()[0]?.reportFailure?.includes("5000 ms") === true);
    await stage.configuration.close();
    await eventually("everything to be given up", () => stage.clock.pending === 0);
  });
});

test("nothing is asked after close, and a question that is under way is given up", async () => {
  const stage = await start(await serve(yaml(stamping("one"))));
  stage.server.answer(() => {});
  await stage.next("the second question", () => stage.server.asked.length === 2);
  await stage.configuration.close();
  await stage.clock.advance(120_000);
  expect(stage.server.asked).toHaveLength(2);
  expect(stage.clock.pending).toBe(0);
});

test("the pace: a tenth more or less between answers, half a second to the interval after failures", () => {
  expect([0, 0.5, 0.999].map((random) => Math.round(pollDelayMs(30_000, () => random)))).toEqual([27_000, 30_000, 32_994]);
  expect([1, 2, 3, 6, 100].map((failures) => retryDelayMs(failures, 30_000, () => 0))).toEqual([500, 1_000, 2_000, 15_000, 15_000]);
  expect([1, 2, 3, 6, 100].map((failures) => Math.round(retryDelayMs(failures, 30_000, () => 0.9999)))).toEqual([
    1_000, 2_000, 4_000, 29_999, 29_999,
  ]);
});
