/** The xDS provider against a control plane over gRPC, by what traffic gets and what the control plane is told. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServerCredentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { portOf } from "../../scripts/processes/free-port.ts";
import { resourceOf } from "../../scripts/xds/resource-of.ts";
import { startXdsServer, type XdsServer, type XdsServerPlan, type XdsState } from "../../scripts/xds/start-xds-server.ts";
import { parseSettings } from "../../src/config/settings.ts";
import type { PolicyRegistry } from "../../src/config/types.ts";
import { registrationsOf } from "../../src/engine/registrations.ts";
import type { DiscoveryRequest } from "../../src/generated/proto/envoy/service/discovery/v3/discovery.ts";
import { createSecrets } from "../../src/generations/secrets.ts";
import { codeProvider } from "../../src/providers/code.ts";
import type { Registration } from "../../src/providers/source.ts";
import { configurationType } from "../../src/providers/xds-document.ts";
import { eventually } from "../files/recorder.ts";
import { certificateAuthority, serverCertificate } from "../support/certificates.ts";
import { createdPolicies } from "../support/code-policy.ts";
import { type ConfiguredEngine, configuredEngine, stamping } from "../support/configured-engine.ts";
import { countedChains, countsAfter, type Told, toldCounts } from "../support/counted-chains.ts";
import { scriptPolicies } from "../support/script-policy.ts";
import { createTestClock, type TestClock } from "../support/test-clock.ts";

let root: string;
const ends: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "xds-"));
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  rmSync(root, { recursive: true, force: true });
});

async function serve(first: XdsState | undefined, plan?: XdsServerPlan): Promise<XdsServer> {
  const server = await startXdsServer(plan);
  ends.push(server.stop);
  server.publish(first);
  return server;
}

/** A state with one resource for each text. */
function state(version: string, ...texts: readonly string[]): XdsState {
  const resources = texts.map((text, index) => ({ typeUrl: configurationType, value: resourceOf(`resource-${index}`, text) }));
  return { version, typeUrl: configurationType, resources };
}

interface Stage extends ConfiguredEngine {
  readonly clock: TestClock;
  /** Lets time pass until the condition holds. */
  next(what: string, condition: () => boolean | Promise<boolean>): Promise<void>;
  provider(): { readonly failure: string | undefined; readonly problems: number; readonly version: string | undefined };
}

/** @param xds what else the provider's settings say, as YAML */
async function start(
  port: number,
  xds = "",
  more = "",
  policies: PolicyRegistry = scriptPolicies,
  others: readonly Registration[] = [],
): Promise<Stage> {
  const text = `version: 1\nproviders: [{ xds: { address: "tcp:localhost:${port}", node: engine-1, ${xds} } }]\n${more}`;
  const parsed = parseSettings({ uri: "settings.yaml", text }, root);
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  const clock = createTestClock(0);
  /** Streams that have not brought anything yet: the deadline of each is a timer. */
  let underWay = 0;
  const registrations = registrationsOf(parsed.settings, {
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    secrets: createSecrets({ TOKEN: "the-token" }),
    policies,
    startTimer(milliseconds, expired) {
      const stop = clock.startTimer(milliseconds, expired);
      let counted = milliseconds === 10_000;
      if (counted) underWay += 1;
      return () => {
        if (counted) underWay -= 1;
        counted = false;
        stop();
      };
    },
    random: () => 0.5,
  });
  const engine = await configuredEngine({
    registrations: [...registrations, ...others],
    policies,
    variables: { ALLOWED: "allowed", OTHER: "other" },
  });
  ends.push(engine.configuration.close);
  await engine.configuration.start();
  return {
    ...engine,
    clock,
    provider() {
      const [found] = engine.configuration.registry.state();
      if (found === undefined) throw new Error("there is no provider");
      return found;
    },
    next: (what, condition) =>
      eventually(what, async () => {
        if (await condition()) return true;
        if (underWay === 0) await clock.advance(500);
        return false;
      }),
  };
}

const gives = (stage: Stage, stamp: string) => async (): Promise<boolean> => (await stage.ask("orders")) === stamp;
/** What matters of a request. */
const short = ({ versionInfo, responseNonce, errorDetail }: DiscoveryRequest) => [
  versionInfo ?? "",
  responseNonce ?? "",
  ...(errorDetail === undefined ? [] : [errorDetail.code]),
];

test("the first state is in use when the start has ended; a change soon; each is acknowledged", async () => {
  const server = await serve(state("1", stamping("one")));
  const stage = await start(server.port);
  expect(await stage.ask("orders")).toBe("one");
  server.publish(state("2", stamping("two")));
  await stage.next("the change", gives(stage, "two"));
  await stage.next("the answers", () => server.requests.length === 3);
  expect(server.requests.map(short)).toEqual([
    ["", ""],
    ["1", "1"],
    ["2", "2"],
  ]);
  expect(server.requests[0]).toMatchObject({
    typeUrl: configurationType,
    node: {
      id: "engine-1",
      userAgentName: "envoy-policy-engine",
      userAgentVersionType: { $case: "userAgentVersion", value: expect.stringMatching(/^\d+\.\d+/) },
      metadata: { policies: ["script@1.0.0", "rewrite@1.0.0"] },
    },
  });
  expect(server.requests[1]?.node).toBe(undefined);
});

test("resources of one response are one configuration; what is not sent any more is gone", async () => {
  const users = "version: 1\nroutes: { users: orders }\n";
  const server = await serve(state("1", stamping("one"), users));
  const stage = await start(server.port);
  expect([await stage.ask("orders"), await stage.ask("users")]).toEqual(["one", "one"]);
  server.publish(state("2", stamping("one")));
  await stage.next("the route to be gone", async () => (await stage.ask("users")) === "route-unknown");
});

test("a state that has not changed is acknowledged and applied no second time, whatever its version", async () => {
  const server = await serve(state("7", stamping("one")));
  const stage = await start(server.port);
  server.publish(state("1", stamping("one")));
  await stage.next("the answer", () => server.requests.length === 3);
  expect(server.requests.at(-1)).toMatchObject({ versionInfo: "1" });
  expect(stage.configuration.generations.current()?.number).toBe(1);
});

describe("a state that is refused changes nothing, and the control plane is told why", () => {
  test("all problems, with their places and remedies, under the version that is in use", async () => {
    const server = await serve(state("1", stamping("one")));
    const stage = await start(server.port);
    server.publish(state("2", stamping("two").replace("script@1", "scrpt@1"), "version: 1\nroutes: { users: nowhere }\n"));
    await stage.next("the answer", () => server.requests.length === 3);
    expect(server.requests.map(short)).toEqual([
      ["", ""],
      ["1", "1"],
      ["1", "2", 3],
    ]);
    expect(server.requests.at(-1)?.errorDetail?.message?.split("\n")).toEqual([
      "xds:resource-0 at chains.orders.steps[0].policy: policy-unknown: no policy `scrpt` in this distribution; did you mean `script`? one of your own must be built in, see docs/building.md",
      "xds:resource-1 at routes.users: chain-undefined: no chain `nowhere`; use one of: orders; or define the chain",
    ]);
    expect(await stage.ask("orders")).toBe("one");
    server.publish(state("3", stamping("three")));
    await stage.next("the mended state", gives(stage, "three"));
    await stage.next("the answer", () => server.requests.length === 4);
    expect(server.requests.map(short).at(-1)).toEqual(["3", "3"]);
  });

  test("a thousand problems are told as far as there is room", async () => {
    const routes = Array.from({ length: 1000 }, (_, index) => `route-${index}: nowhere`);
    const server = await serve(state("1", `version: 1\nroutes: { ${routes.join(", ")} }\n`));
    const stage = await start(server.port);
    await stage.next("the answer", () => server.requests.length === 2);
    expect(server.requests.at(-1)?.errorDetail?.message?.split("\n").slice(49)).toEqual([
      expect.stringContaining("route-49"),
      "and 950 more",
    ]);
    expect(await stage.ask("orders")).toBe("not-ready");
  });

  const one = { typeUrl: configurationType, value: resourceOf("a", stamping("two")) };
  test.each<readonly [string, XdsState, string]>([
    [
      "another type of resource",
      { ...state("2"), resources: [{ ...one, typeUrl: "type.example/Other" }] },
      "resource 1 of 1 has the type `type.example/Other`",
    ],
    [
      "another type of response",
      { ...state("2", stamping("x")), typeUrl: "type.example/Other" },
      "resources of the type `type.example/Other` were not asked for",
    ],
    ["garbage", { ...state("2"), resources: [one, { ...one, value: Buffer.from("garbage") }] }, "resource 2 of 2: the bytes are no "],
    [
      "a resource cut short",
      { ...state("2"), resources: [{ ...one, value: one.value.subarray(0, -5) }] },
      "resource 1 of 1: the bytes are no ",
    ],
    ["two resources of one name", { ...state("2"), resources: [one, one] }, "two resources have the same name"],
    ["nothing at all", state("2"), "there is no configuration document"],
  ])("%s", async (_what, wrong, message) => {
    const server = await serve(state("1", stamping("one")));
    const stage = await start(server.port);
    server.publish(wrong);
    await stage.next("the answer", () => server.requests.length === 3);
    expect(server.requests.at(-1)).toMatchObject({ versionInfo: "1", errorDetail: { code: 3, message: expect.stringContaining(message) } });
    expect(await stage.ask("orders")).toBe("one");
    server.publish(state("3", stamping("three")));
    await stage.next("the mended state", gives(stage, "three"));
    expect(stage.provider().failure).toBe(undefined);
  });

  test("what somebody has rolled back from is held, and the control plane is told so, after its restart too", async () => {
    const server = await serve(state("1", stamping("one")));
    const stage = await start(server.port);
    server.publish(state("2", stamping("two")));
    await stage.next("the change", gives(stage, "two"));
    await stage.configuration.rollback(1, "two is wrong");
    expect(await stage.ask("orders")).toBe("one");
    await server.stop();
    const again = await serve(state("1", stamping("two")), { port: server.port });
    await stage.next("the answer", () => again.requests.length === 2);
    expect(again.requests.at(-1)).toMatchObject({
      versionInfo: "",
      errorDetail: { code: 9, message: expect.stringContaining("rolled back from this state to generation 3") },
    });
    expect(await stage.ask("orders")).toBe("one");
    again.publish(state("2", stamping("three")));
    await stage.next("the new state", gives(stage, "three"));
  });
});

describe("the control plane is told when the verdict on its state changes", () => {
  const users = "version: 1\nroutes: { users: orders }\n";

  /** Beside the control plane a program whose documents can be in the way of its. */
  async function withProgram(server: XdsServer, xds = ""): Promise<Stage & { push(text: string): Promise<string> }> {
    const code = codeProvider("code");
    const registration = { provider: code, reads: "code", precedence: 0, mayUseSecret: () => true };
    const push = async (text: string): Promise<string> => (await code.push([{ uri: "pushed", text }], "")).kind;
    const starting = start(server.port, xds, "", scriptPolicies, [registration]);
    await eventually("the program to be asked", () => server.requests.length === 1);
    const [stage, verdict] = await Promise.all([starting, push(users)]);
    expect(verdict).toBe("accepted");
    return { ...stage, push };
  }

  test("an ACK when what was refused because of another provider is in use, and its statistics go on", async () => {
    const server = await serve(state("1", stamping("one")));
    const stage = await withProgram(server, "reportInterval: 1m");
    server.publish(state("2", stamping("two"), "version: 1\nroutes: { users: [] }\n"));
    await stage.next("the refusal", () => server.requests.length === 3);
    expect(server.requests.map(short).at(-1)).toEqual(["1", "2", 3]);
    expect(await stage.push("version: 1\nroutes: { others: orders }\n")).toBe("accepted");
    expect(await stage.ask("orders")).toBe("two");
    await eventually("the answer", () => server.requests.length === 4);
    expect(server.requests.map(short).at(-1)).toEqual(["2", "2"]);
    await stage.clock.advance(60_000);
    await eventually("the report", () => server.requests.length === 5);
    expect(server.requests[4]?.node?.metadata).toMatchObject({ statistics: { generations: [{ version: "2", exchanges: 1 }, {}] } });
  });

  test("a NACK when somebody rolls back from it, an ACK when it is in use again", async () => {
    const server = await serve(state("1", stamping("one")));
    const stage = await withProgram(server);
    server.publish(state("2", stamping("two")));
    await stage.next("the change", gives(stage, "two"));
    await stage.configuration.rollback(1, "two is wrong");
    await stage.configuration.rollback(2, "it was not");
    await eventually("the answers", () => server.requests.length === 5);
    expect(server.requests.map(short).slice(2)).toEqual([
      ["2", "2"],
      ["2", "2", 9],
      ["2", "2"],
    ]);
  });

  test("nothing when its newest response could not be read: the verdict is on one before", async () => {
    const server = await serve(state("1", stamping("one")));
    const stage = await withProgram(server);
    server.publish(state("2", stamping("two"), "version: 1\nroutes: { users: [] }\n"));
    server.publish({ version: "3", typeUrl: "type.example/Other", resources: [] });
    await stage.next("the refusals", () => server.requests.at(-1)?.responseNonce === "3");
    const before = server.requests.length;
    expect(await stage.push("version: 1\nroutes: { others: orders }\n")).toBe("accepted");
    expect(await stage.ask("orders")).toBe("two");
    server.publish(state("4", stamping("four")));
    await stage.next("the next answer", () => server.requests.length > before);
    expect(server.requests.slice(before).map(short)).toEqual([["4", "4"]]);
  });
});

describe("many states at once", () => {
  /** Takes its time to start, so that states come faster than they are judged. */
  const slow = createdPolicies({
    slow: async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { request: () => undefined };
    },
  });
  const slowly = (stamp: string): string =>
    stamping(stamp)
      .replace("chains:", `chains:\n  slow: { steps: [{ policy: slow@1.0.0, name: slow-${stamp} }] }`)
      .replace("routes: {", "routes: { slow: slow,");

  test("are judged together, the newest of each time; only that one is answered, for those before it too", async () => {
    const server = await serve(state("0", slowly("0")));
    const stage = await start(server.port, "", "", new Map([...scriptPolicies, ...slow]));
    for (let number = 1; number <= 50; number++) {
      const isBad = number % 3 === 0;
      server.publish(
        isBad
          ? state(`bad ${number}`, slowly(`${number}`).replace("orders: orders", "orders: other"))
          : state(`good ${number}`, slowly(`${number}`)),
      );
      await new Promise(setImmediate);
    }
    await stage.next("the newest", gives(stage, "50"));
    await stage.next("its answer", () => server.requests.at(-1)?.responseNonce === "51");
    expect(server.requests.map(({ versionInfo = "" }) => versionInfo).filter((version) => version.startsWith("bad"))).toEqual([]);
    expect(server.requests.at(-1)).toMatchObject({ versionInfo: "good 50" });
    expect(server.requests.length).toBeLessThan(40);
  });
});

describe("a control plane that hangs, is gone, or is no control plane", () => {
  test("silent: a failure after the timeout, another attempt, and in use as soon as it speaks", async () => {
    const server = await serve(undefined);
    const starting = start(server.port);
    await eventually("the question", () => server.requests.length === 1);
    // Nobody has delivered or failed yet: the start waits.
    await expect(Promise.race([starting, new Promise((resolve) => setTimeout(resolve, 50, "waiting"))])).resolves.toBe("waiting");
    server.publish(state("1", stamping("one")));
    const stage = await starting;
    expect(await stage.ask("orders")).toBe("one");
    server.publish(undefined);
    server.endStreams();
    await stage.next("the next stream", () => server.requests.filter(({ node }) => node !== undefined).length === 2);
    expect(stage.provider().failure).toBe("the server has ended the stream");
    await stage.clock.advance(10_000);
    await eventually("the failure", () => stage.provider().failure === "the server has sent nothing within 10000 ms");
    expect(await stage.ask("orders")).toBe("one");
    server.publish(state("2", stamping("two")));
    await stage.next("the state of the next stream", gives(stage, "two"));
  });

  test("silence later is no failure", async () => {
    const server = await serve(state("1", stamping("one")));
    const stage = await start(server.port);
    await stage.clock.advance(3_600_000);
    expect(stage.provider().failure).toBe(undefined);
    expect(server.requests.filter(({ node }) => node !== undefined)).toHaveLength(1);
  });

  test("gone at the start: nothing is served; there: in use soon", async () => {
    const server = await serve(undefined);
    await server.stop();
    const stage = await start(server.port);
    expect(stage.provider().failure).toContain("UNAVAILABLE");
    expect(await stage.ask("orders")).toBe("not-ready");
    await serve(state("1", stamping("one")), { port: server.port });
    await stage.next("the first state", gives(stage, "one"));
  });

  test.each([
    ["with a lower version and an older state", state("1", stamping("one")), "one"],
    ["with the version that is in use and another state", state("2", stamping("other")), "other"],
    ["with the same state under a lower version", state("1", stamping("two")), "two"],
  ] as const)("gone and back %s: what it sends is in use", async (_what, next, stamp) => {
    const server = await serve(state("2", stamping("two")));
    const stage = await start(server.port);
    await server.stop();
    await stage.next("the failure", () => stage.provider().failure !== undefined);
    expect(await stage.ask("orders")).toBe("two");
    const again = await serve(next, { port: server.port });
    await stage.next("the answer", () => again.requests.length === 2);
    // The question says nothing of an earlier version: a server that has lost count would keep silent.
    expect(again.requests.map(short)).toEqual([
      ["", ""],
      [next.version, "1"],
    ]);
    expect(await stage.ask("orders")).toBe(stamp);
    expect(stage.provider().failure).toBe(undefined);
  });

  test("a response that is no message, and one that is too large, end the stream, and the next one is right", async () => {
    const server = await serve(state("1", stamping("one")));
    const stage = await start(server.port);
    for (const [bytes, failure] of [
      [Buffer.from([0x12, 0xff]), "parsing error"],
      [Buffer.alloc(5 * 1024 ** 2), "larger than max"],
    ] as const) {
      server.send(bytes);
      await stage.next("the failure", () => stage.provider().failure?.includes(failure) === true);
      expect(await stage.ask("orders")).toBe("one");
      await stage.next("the next stream", () => stage.provider().failure === undefined);
    }
  });

  test("a server that speaks no HTTP/2 is a failure", async () => {
    const other = createServer((socket) => {
      socket.write("SSH-2.0-OpenSSH\r\n", () => socket.destroy());
    });
    await new Promise<void>((resolve) => other.listen(0, "localhost", resolve));
    ends.push(() => new Promise((resolve) => other.close(resolve)));
    const stage = await start(portOf(other));
    expect(stage.provider().failure).toContain("UNAVAILABLE");
  });
});

describe("TLS and tokens", () => {
  const authority = certificateAuthority("Private CA");
  const other = certificateAuthority("Another CA");

  function secured(host: string, ask: "for a certificate" | "nothing" = "nothing"): ServerCredentials {
    const certificate = serverCertificate(host, authority);
    const pair = {
      private_key: Buffer.from(certificate.privateKey.export({ format: "pem", type: "pkcs8" })),
      cert_chain: Buffer.from(certificate.pem),
    };
    return ServerCredentials.createSsl(Buffer.from(authority.pem), [pair], ask === "for a certificate");
  }

  test("a private CA vouches for the server; another one does not, until its file is replaced", async () => {
    writeFileSync(join(root, "ca.pem"), other.pem);
    const server = await serve(state("1", stamping("one")), { credentials: secured("localhost") });
    const stage = await start(server.port, "tls: { ca: ca.pem }");
    expect(stage.provider().failure).toMatch(/certificate|signature/);
    writeFileSync(join(root, "ca.pem"), authority.pem);
    await stage.next("the state", gives(stage, "one"));
  });

  test("a server that asks for our certificate gets it", async () => {
    const client = serverCertificate("engine", authority);
    writeFileSync(join(root, "ca.pem"), authority.pem);
    writeFileSync(join(root, "client.pem"), client.pem);
    writeFileSync(join(root, "client.key"), client.privateKey.export({ format: "pem", type: "pkcs8" }));
    const server = await serve(state("1", stamping("one")), { credentials: secured("localhost", "for a certificate") });
    const without = await start(server.port, "tls: { ca: ca.pem }");
    expect(without.provider().failure).toBeDefined();
    const stage = await start(server.port, "tls: { ca: ca.pem, certificate: client.pem, key: client.key }");
    expect(await stage.ask("orders")).toBe("one");
  });

  test("the token is read for each stream, and appears nowhere", async () => {
    writeFileSync(join(root, "token"), "first-token\n");
    const server = await serve(state("1", stamping("one")));
    const stage = await start(server.port, `token: "\${file:${root}/token}"`);
    writeFileSync(join(root, "token"), "second-token\n");
    server.endStreams();
    await stage.next("the second stream", () => server.authorizations.length === 2);
    expect(server.authorizations).toEqual(["Bearer first-token", "Bearer second-token"]);
    rmSync(join(root, "token"));
    server.endStreams();
    await stage.next("the failure", () => stage.provider().failure?.includes("cannot be read") === true);
    expect(JSON.stringify([stage.log, stage.configuration.state()])).not.toMatch(/first-token|second-token/);
  });
});

test("text from a control plane may only use secrets that the settings allow, and learns nothing of others", async () => {
  const server = await serve(state("1", stamping("${env:ALLOWED}")));
  const stage = await start(server.port, "", 'secrets: { allow: ["env:ALLOWED"] }');
  expect(await stage.ask("orders")).toBe("allowed");
  await stage.next("the answer", () => server.requests.length === 2);
  for (const name of ["OTHER", "NOWHERE"]) {
    const before = server.requests.length;
    server.publish(state(name, stamping(`\${env:${name}}`)));
    await stage.next("the answer", () => server.requests.length === before + 1);
    expect(server.requests.at(-1)?.errorDetail?.message).toContain(`the provider \`xds\` may not use the secret \`\${env:${name}}\``);
  }
  expect(await stage.ask("orders")).toBe("allowed");
});

describe("statistics", () => {
  const toldWith = ({ node }: DiscoveryRequest): Told => node?.metadata?.statistics ?? {};

  test("travel with answers and, in between, with their repetition: the counts are those of the exchanges sent", async () => {
    const server = await serve(state("7", countedChains));
    const stage = await start(server.port, "reportInterval: 1m");
    for (let count = 0; count < 5; count++) await stage.ask("orders");
    for (let count = 0; count < 2; count++) await stage.ask("secrets");
    await stage.clock.advance(60_000);
    await eventually("the report", () => server.requests.length === 3);
    expect(server.requests.map(short)).toEqual([
      ["", ""],
      ["7", "1"],
      ["7", "1"],
    ]);
    const [, answer, report] = server.requests.map(toldWith);
    expect(toldCounts(answer ?? {})).toEqual(countsAfter(0, 0));
    expect(toldCounts(report ?? {})).toEqual(countsAfter(5, 2));
    expect(report).toMatchObject({ provider: "xds", generation: 1, generations: [{ number: 1, version: "7", exchanges: 7 }] });
    expect(server.requests[2]?.node).toMatchObject({ id: "engine-1", metadata: { policies: ["script@1.0.0", "rewrite@1.0.0"] } });
  });

  test("a refusal carries them too, and is not repeated: a server could answer each time with what was refused", async () => {
    const server = await serve(state("1", stamping("one")));
    const stage = await start(server.port, "reportInterval: 1m");
    await stage.ask("orders");
    server.publish(state("2", "version: 1\nroutes: { orders: nowhere }\n"));
    await eventually("the refusal", () => server.requests.length === 3);
    const refusal = server.requests[2];
    expect(refusal?.errorDetail).toBeDefined();
    expect(refusal && toldWith(refusal).generations).toMatchObject([{ number: 1, version: "1", exchanges: 1 }]);
    await stage.clock.advance(600_000);
    server.publish(state("3", stamping("three")));
    await eventually("the answer", () => server.requests.length === 4);
    expect(server.requests.map(short).at(-1)).toEqual(["3", "3"]);
  });

  test("after close, and while the server is away, nothing is sent", async () => {
    const server = await serve(state("1", stamping("one")));
    const stage = await start(server.port, "reportInterval: 1m");
    await eventually("the answer", () => server.requests.length === 2);
    await server.stop();
    await eventually("the failure", () => stage.provider().failure !== undefined);
    await stage.configuration.close();
    expect(stage.clock.pending).toBe(0);
  });
});

test("after close nothing is open and nothing is tried", async () => {
  const server = await serve(state("1", stamping("one")));
  const stage = await start(server.port);
  await stage.configuration.close();
  await stage.clock.advance(60_000);
  expect(stage.clock.pending).toBe(0);
  expect(server.requests.filter(({ node }) => node !== undefined)).toHaveLength(1);
});
