/** The engine inside another program: what the program pushes, what it is told, and what traffic gets over a real socket. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, Metadata } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type EmbeddedEngine, embedEngine } from "../../src/embed/embed.ts";
import { policies } from "../../src/generated/registry.ts";
import { codeProvider } from "../../src/providers/code.ts";
import type { Verdict } from "../../src/providers/provider.ts";
import { engineDoes, envoyBytes } from "../conversations/conversation.ts";
import { extProcClient } from "../support/ext-proc-client.ts";

let folder: string;
const engines: EmbeddedEngine[] = [];
const clients: Client[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "embed-"));
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const engine of engines.splice(0)) await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function embed(more = "", rejudged: (verdict: Verdict) => void = () => {}): Promise<EmbeddedEngine> {
  const text = `version: 1
listen: ["unix:engine.sock"]
admin: tcp:127.0.0.1:0
shutdown: { drainDelay: 0s, grace: 1s }
log: { level: error }
${more}
`;
  const engine = await embedEngine({
    settings: { uri: "settings", text },
    directory: folder,
    policies,
    environment: { STAMP: "from-env" },
    rejudged,
  });
  engines.push(engine);
  return engine;
}

const stamping = (stamp: string, route = "orders") => ({
  uri: route,
  text: `version: 1
chains: { ${route}: { steps: [{ policy: set-header@1, parameters: { request: [{ name: x-stamp, set: "${stamp}" }] } }] } }
routes: { ${route}: ${route} }
`,
});

/** The header that the upstream would get, or the code of the refusal. */
async function ask(route: string): Promise<string> {
  const client = extProcClient(`unix:${join(folder, "engine.sock")}`);
  clients.push(client);
  const metadata = new Metadata();
  metadata.set("x-route", `r:${route}`);
  const identity = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
  const call = client.makeBidiStreamRequest("/envoy.service.ext_proc.v3.ExternalProcessor/Process", identity, identity, metadata);
  const answer = await new Promise<Buffer>((resolve, reject) => {
    call.on("data", resolve);
    call.on("error", reject);
    call.write(envoyBytes({ message: "request-headers", headers: { ":method": "GET", ":path": "/" } }, true, route));
  });
  const does = engineDoes(answer);
  if ("reply" in does) return does.code;
  return ("set" in does && does.set?.["x-stamp"]?.[0]) || "no stamp";
}

test("until the first push everything is denied; then what is pushed is in use, or refused with the reasons", async () => {
  const engine = await embed();
  expect(await ask("orders")).toBe("not-ready");
  expect(engine.providers()).toMatchObject([{ name: "code", version: undefined, failure: undefined }]);
  expect(await engine.push([stamping("one")], "1")).toMatchObject({ kind: "accepted", generation: 1 });
  expect(await ask("orders")).toBe("one");
  expect(await engine.push([stamping("one")], "2")).toEqual({ kind: "unchanged", generation: 1 });

  const refused = await engine.push([{ uri: "orders", text: "version: 1\nroutes: { orders: nowhere }\n" }], "3");
  expect(refused).toMatchObject({
    kind: "refused",
    problems: [{ code: "chain-undefined", position: { uri: "orders", line: 2, column: 19 } }],
  });
  expect(await ask("orders")).toBe("one");
  expect(await engine.push([], "4")).toMatchObject({ kind: "refused", problems: [{ code: "no-configuration" }] });
  expect(await ask("orders")).toBe("one");
  await engine.push([stamping("${env:STAMP}")], "5");
  expect(await ask("orders")).toBe("from-env");
});

test("it rolls back, and what was rolled back from is held", async () => {
  const engine = await embed();
  await engine.push([stamping("one")], "1");
  await engine.push([stamping("two")], "2");
  expect(await engine.rollback(1, "two is wrong")).toMatchObject({ kind: "accepted", generation: 3 });
  expect(await ask("orders")).toBe("one");
  expect(await engine.push([stamping("two")], "2 again")).toEqual({ kind: "held", generation: 3 });
  expect(engine.generations().map(({ generation, reason }) => [generation, reason])).toEqual([
    [1, "delivery"],
    [2, "delivery"],
    [3, "rollback"],
  ]);
});

test("providers of the program come and go", async () => {
  const engine = await embed();
  await engine.push([stamping("one")], "1");
  const users = codeProvider("users");
  await engine.register(users, { precedence: 0, mayUseSecret: () => false });
  expect(await ask("users")).toBe("route-unknown");
  await users.push([stamping("two", "users")], "1");
  expect([await ask("orders"), await ask("users")]).toEqual(["one", "two"]);
  expect(await users.push([stamping("${env:STAMP}", "users")], "2")).toMatchObject({ problems: [{ code: "secret-not-allowed" }] });
  expect(await engine.unregister("users")).toMatchObject({ kind: "accepted" });
  expect([await ask("orders"), await ask("users")]).toEqual(["one", "route-unknown"]);
  await expect(users.push([], "3")).rejects.toThrow("the engine that the provider `users` belongs to is not running");
});

test("each provider is told what became of what it delivered, and of nothing else", async () => {
  const engine = await embed();
  const users = codeProvider("users");
  expect([engine.statistics(), users.statistics()]).toEqual([undefined, undefined]);
  await engine.push([stamping("one")], "1");
  await engine.register(users, { precedence: 0, mayUseSecret: () => false });
  await users.push([stamping("two", "users")], "users 1");
  for (let count = 0; count < 3; count++) await ask("orders");
  await ask("users");
  const short = (told: ReturnType<typeof engine.statistics>) =>
    told?.chains.map(({ chain, exchanges, steps }) => [chain, exchanges, ...steps.map(({ step, runs }) => `${step} ${runs}`)]);
  expect(short(engine.statistics())).toEqual([["orders", 3, "set-header 3"]]);
  expect(short(users.statistics())).toEqual([["users", 1, "set-header 1"]]);
  expect(users.statistics()?.generations).toMatchObject([
    { number: 2, version: "users 1", exchanges: 4 },
    { number: 1, version: null, exchanges: 0 },
  ]);
});

test("the program is told when what was refused is in use, and when a rollback holds it back", async () => {
  const told: Verdict[] = [];
  const engine = await embed("", (verdict) => told.push(verdict));
  const users = codeProvider("users");
  await engine.push([stamping("one")], "1");
  await engine.register(users, { precedence: 0, mayUseSecret: () => false });
  await users.push([stamping("two", "users")], "users 1");
  expect(await engine.push([stamping("three", "users")], "2")).toMatchObject({ kind: "refused" });
  expect(engine.statistics()?.delivered).toMatchObject({ version: "2", outcome: "refused", refusal: expect.stringContaining("users") });
  await users.push([stamping("two", "others")], "users 2");
  expect(told).toMatchObject([{ kind: "accepted", generation: 3 }]);
  expect(await ask("users")).toBe("three");
  await engine.rollback(1, "two is wrong");
  expect(told.slice(1)).toEqual([{ kind: "held", generation: 4 }]);
  expect(engine.statistics()?.delivered).toEqual({ version: "2", outcome: "held", refusal: null });
});

test("with a state folder a restart goes on with what was pushed last", async () => {
  const first = await embed("state: state");
  await first.push([stamping("one")], "1");
  await first.stop();
  engines.length = 0;
  const second = await embed("state: state");
  expect(await ask("orders")).toBe("one");
  expect(second.providers()).toMatchObject([{ name: "code", version: "1", from: "disk" }]);
  await second.push([stamping("two")], "2");
  expect(await ask("orders")).toBe("two");
});

describe("what cannot start says why", () => {
  test("wrong settings, all problems at once", async () => {
    await expect(embed("lock: {}\nstate: 1")).rejects.toThrow(/unknown key `lock`[\s\S]*expected text, found a number/);
  });

  test("after the end nothing can be pushed", async () => {
    const engine = await embed();
    await engine.stop();
    engines.length = 0;
    await expect(engine.push([stamping("one")], "1")).rejects.toThrow("is not running");
  });
});
