/** The last good generation on disk, by what traffic gets after a restart. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Provider, ProviderSink, Verdict } from "../../src/providers/provider.ts";
import type { Registration } from "../../src/providers/source.ts";
import { eventually } from "../files/recorder.ts";
import { type ConfiguredEngine, type ConfiguredParts, configuredEngine, stamping } from "../support/configured-engine.ts";

let root: string;
let state: string;
let file: string;
const engines: ConfiguredEngine[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "last-good-"));
  state = join(root, "state");
  file = join(state, "last-good-generation");
});

afterEach(async () => {
  for (const { configuration } of engines.splice(0)) await configuration.close();
  rmSync(root, { recursive: true, force: true });
});

/** A provider that the test speaks for: it says `first` at its start, or fails when there is none. */
interface Puppet {
  readonly registration: Registration;
  says(text: string, version?: string): Promise<Verdict>;
}

function puppet(first: string | undefined, reads = "a"): Puppet {
  let sink: ProviderSink | undefined;
  const says = async (text: string, version = text): Promise<Verdict> => {
    if (sink === undefined) throw new Error("not started");
    return sink.update([{ uri: "a.yaml", text }], version);
  };
  const provider: Provider = {
    name: "a",
    start: async (given) => {
      sink = given;
      if (first === undefined) given.failed(new Error("away"));
      else await says(first);
    },
    close: async () => {},
  };
  return { registration: { provider, reads, precedence: 0, mayUseSecret: () => true }, says };
}

async function start(provider: Puppet, parts: Partial<ConfiguredParts> = {}): Promise<ConfiguredEngine> {
  const engine = await configuredEngine({ registrations: [provider.registration], state, ...parts });
  engines.push(engine);
  await engine.configuration.start();
  return engine;
}

/** Ends an engine; what it has to save is then saved. */
const stop = ({ configuration }: ConfiguredEngine): Promise<void> => configuration.close();

/** Runs an engine on these stamps, one after the other, and ends it. */
async function leave(...stamps: readonly string[]): Promise<void> {
  const [first = "", ...rest] = stamps.map(stamping);
  const provider = puppet(first);
  const engine = await start(provider);
  for (const text of rest) await provider.says(text);
  await stop(engine);
}

test("without anything on disk a provider that is away means that everything is denied", async () => {
  const engine = await start(puppet(undefined));
  expect(await engine.ask("orders")).toBe("not-ready");
  expect(engine.configuration.state()).toMatchObject({ generation: undefined, startedFrom: undefined });
});

test("a restart while the provider is away goes on with what was in use last, and says so", async () => {
  await leave("one", "two");
  const provider = puppet(undefined);
  const engine = await start(provider);
  expect(await engine.ask("orders")).toBe("two");
  expect(engine.configuration.state()).toMatchObject({
    generation: { number: 3, reason: "disk" },
    startedFrom: { generation: 2, savedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) },
    providers: [{ name: "a", from: "disk", failure: "away" }],
  });
  expect(engine.log).toContainEqual(expect.objectContaining({ level: "warn", msg: "started from the last good generation on disk" }));
  await provider.says(stamping("three"));
  expect(await engine.ask("orders")).toBe("three");
  expect(engine.configuration.state()).toMatchObject({ generation: { number: 4, reason: "delivery" }, providers: [{ from: "provider" }] });
});

test("a restart with a broken configuration goes on with what was in use last", async () => {
  await leave("one");
  const engine = await start(puppet("chains: ["));
  expect(await engine.ask("orders")).toBe("one");
  expect(engine.configuration.state()).toMatchObject({ problems: [{ code: "yaml-syntax", at: "a.yaml:1:10" }] });
});

test("what was refused is never saved", async () => {
  await leave("one");
  await stop(await start(puppet("chains: [")));
  const engine = await start(puppet(undefined));
  expect(await engine.ask("orders")).toBe("one");
});

test("numbers of generations go on over restarts, so that none is used twice", async () => {
  await leave("one", "two");
  const engine = await start(puppet(stamping("three")));
  expect(engine.configuration.generations.current()?.number).toBe(3);
});

test("a rollback holds over a restart, until the provider says something else", async () => {
  const first = puppet(stamping("good"));
  const running = await start(first);
  await first.says(stamping("bad"), "5");
  expect(await running.ask("orders")).toBe("bad");
  await running.configuration.rollback(1, "it lets everybody in");
  expect(await running.ask("orders")).toBe("good");
  await stop(running);

  const second = puppet(stamping("bad"));
  const engine = await start(second);
  expect(await engine.ask("orders")).toBe("good");
  expect(engine.configuration.state()).toMatchObject({ providers: [{ held: true, from: "provider" }] });
  expect(await second.says(stamping("bad"), "restarted: 1")).toMatchObject({ kind: "held" });
  expect(await engine.ask("orders")).toBe("good");
  await second.says(stamping("mended"));
  expect(await engine.ask("orders")).toBe("mended");
});

describe("what is on disk is not used", () => {
  test.each([
    ["cut short", (text: string) => text.slice(0, -20)],
    ["changed", (text: string) => text.replace("one", "two")],
    ["empty", () => ""],
    ["something else", () => "policy-engine/1 sha256:0\n{}"],
  ] as const)("when it is %s", async (_what, spoil) => {
    await leave("one");
    writeFileSync(file, spoil(readFileSync(file, "utf8")));
    const engine = await start(puppet(undefined));
    expect(await engine.ask("orders")).toBe("not-ready");
    expect(engine.log).toContainEqual(
      expect.objectContaining({ level: "error", msg: "the last good generation on disk is not used", reason: expect.any(String) }),
    );
  });

  test("when every user of the machine may have written it", async () => {
    await leave("one");
    chmodSync(file, 0o666);
    const engine = await start(puppet(undefined));
    expect(await engine.ask("orders")).toBe("not-ready");
  });

  test("when the settings name another source", async () => {
    await leave("one");
    const engine = await start(puppet(undefined, "b"));
    expect(await engine.ask("orders")).toBe("not-ready");
    expect(engine.log).toContainEqual(expect.objectContaining({ msg: expect.stringContaining("other providers") }));
  });

  test("when this engine refuses it, for example because a policy is not compiled in any more", async () => {
    await leave("one");
    const engine = await start(puppet(undefined), { policies: new Map() });
    expect(await engine.ask("orders")).toBe("not-ready");
    expect(engine.log).toContainEqual(
      expect.objectContaining({ level: "error", problems: [expect.objectContaining({ code: "policy-unknown" })] }),
    );
  });
});

test("secrets are on disk as references, and resolved anew", async () => {
  const text = stamping("${env:STAMP}");
  await stop(await start(puppet(text), { variables: { STAMP: "secret-of-yesterday" } }));
  expect(readFileSync(file, "utf8")).not.toContain("secret-of-yesterday");
  const engine = await start(puppet(undefined), { variables: { STAMP: "secret-of-today" } });
  expect(await engine.ask("orders")).toBe("secret-of-today");
});

test("a disk that cannot be written to stops nothing, and is shown", async () => {
  writeFileSync(state, "a file where the folder should be");
  const provider = puppet(stamping("one"));
  const engine = await start(provider);
  expect(await engine.ask("orders")).toBe("one");
  await eventually("the failure", () => engine.log.some(({ msg }) => String(msg).startsWith("the generation in use could not be saved")));
  expect(engine.configuration.state()).toMatchObject({ disk: { generation: undefined, failure: expect.stringContaining("EEXIST") } });
  rmSync(state);
  await provider.says(stamping("two"));
  await eventually("the next one to be saved", () => Object(engine.configuration.state().disk).generation === 2);
  expect(engine.configuration.state()).toMatchObject({ disk: { failure: undefined } });
});
