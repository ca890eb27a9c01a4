import { mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileProvider } from "../../src/providers/file.ts";
import type { Provider, Verdict } from "../../src/providers/provider.ts";
import { type Recorder, recorder } from "../files/recorder.ts";
import { watchedDirectories } from "../files/watched-directories.ts";

interface Delivery {
  /** `name=text` of every document, or `failed: ...` */
  readonly what: string;
  readonly version: string | undefined;
}

interface Delivered extends Recorder<Delivery> {
  readonly provider: Provider;
  readonly started: Promise<void>;
  /** From now on, verdicts wait. Returns what lets them go. */
  hold(): () => void;
}

let root: string;
const providers: Provider[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "provider-"));
});

afterEach(async () => {
  for (const provider of providers.splice(0)) await provider.close();
  rmSync(root, { recursive: true, force: true });
});

function deliver(paths: readonly string[], verdict: Verdict = { kind: "accepted", generation: 1, hash: "" }): Delivered {
  const provider = fileProvider({ name: "file", paths, watching: { debounceMs: 20, pollMs: 3_600_000 } });
  providers.push(provider);
  const deliveries = recorder<Delivery>();
  let held: Promise<void> = Promise.resolve();
  let running = 0;
  const started = provider.start({
    async update(documents, version) {
      running += 1;
      expect(running, "deliveries overlap").toBe(1);
      deliveries.record({ what: documents.map(({ uri, text }) => `${uri.slice(root.length + 1)}=${text}`).join(" "), version });
      await held;
      running -= 1;
      return verdict;
    },
    waiting: () => {},
    statistics: () => undefined,
    reported: () => {},
    failed: ({ message }) => deliveries.record({ what: `failed: ${message.replaceAll(root, "")}`, version: undefined }),
  });
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return resolve;
  };
  return { ...deliveries, provider, started, hold };
}

const write = (name: string, content: string | Uint8Array): void => writeFileSync(join(root, name), content);
const says = (what: string) => (delivery: Delivery) => delivery.what === what;

describe("what is delivered", () => {
  test("every file with its configured path, folders included, at start and whole after each change", async () => {
    mkdirSync(join(root, "folder"));
    write("first.yaml", "1");
    write("folder/b.yaml", "2");
    write("folder/a.yml", "3");
    const { values, started, until } = deliver([join(root, "first.yaml"), join(root, "folder")]);
    await started;
    expect(values.map(({ what }) => what)).toEqual(["first.yaml=1 folder/a.yml=3 folder/b.yaml=2"]);
    unlinkSync(join(root, "folder", "b.yaml"));
    await until("the change", says("first.yaml=1 folder/a.yml=3"));
  });

  test("the version follows the content: the same for the same, another for another", async () => {
    write("a.yaml", "1");
    const { values, started, until } = deliver([join(root, "a.yaml")]);
    await started;
    write("a.yaml", "2");
    await until("the change", says("a.yaml=2"));
    write("a.yaml", "1");
    await until("the change back", says("a.yaml=1"), 2);
    const versions = values.map(({ version }) => version);
    expect(versions[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(versions[2]).toBe(versions[0]);
    expect(versions[1]).not.toBe(versions[0]);
  });

  test("content that has not changed is not delivered again, be the verdict what it may", async () => {
    write("a.yaml", "bad");
    const { values, started, until } = deliver([join(root, "a.yaml")], { kind: "refused", problems: [] });
    await started;
    for (let nth = 0; nth < 3; nth++) {
      write("a.yaml", "bad");
      await sleep(50);
    }
    write("a.yaml", "still bad");
    await until("the change", says("a.yaml=still bad"));
    expect(values).toHaveLength(2);
  });

  test("a byte order mark is no part of the text", async () => {
    write("a.yaml", "\uFEFFversion: 1");
    const { values, started } = deliver([join(root, "a.yaml")]);
    await started;
    expect(values.map(({ what }) => what)).toEqual(["a.yaml=version: 1"]);
  });
});

describe("failures", () => {
  test("a missing path is a failure and never an empty delivery; start ends; the path's coming is delivered", async () => {
    const { values, started, until } = deliver([join(root, "a.yaml")]);
    await started;
    expect(values.map(({ what }) => what)).toEqual(["failed: cannot read `/a.yaml`: it does not exist; create it or name another path"]);
    write("a.yaml", "1");
    await until("the file", says("a.yaml=1"));
    unlinkSync(join(root, "a.yaml"));
    await until("the failure", ({ what }) => what.startsWith("failed"), 2);
    write("a.yaml", "1");
    await until("the same file again", says("a.yaml=1"), 3);
    expect(values).toHaveLength(4);
  });

  test("text that is not UTF-8 is a failure, never mangled", async () => {
    write("a.yaml", Uint8Array.of(0x61, 0xc3, 0x28));
    const { values, started, until } = deliver([join(root, "a.yaml")]);
    await started;
    expect(values.map(({ what }) => what)).toEqual(["failed: cannot read `/a.yaml`: it is not UTF-8; save it with this encoding"]);
    write("a.yaml", "é");
    await until("the mending", says("a.yaml=é"));
  });

  test("a sink that throws stops nothing", async () => {
    write("a.yaml", "1");
    const provider = fileProvider({ name: "file", paths: [join(root, "a.yaml")], watching: { debounceMs: 20, pollMs: 3_600_000 } });
    providers.push(provider);
    const heard = recorder<string>();
    await provider.start({
      update: async ([document]) => {
        heard.record(document?.text ?? "");
        throw new Error("broken");
      },
      waiting: () => {},
      statistics: () => undefined,
      reported: () => {},
      failed: ({ message }) => heard.record(message),
    });
    write("a.yaml", "2");
    await heard.until("the next delivery's failure", (what) => what === "broken", 3);
    expect(heard.values).toEqual(["1", "broken", "2", "broken"]);
  });
});

describe("when", () => {
  test("start ends with the first verdict, not before", async () => {
    write("a.yaml", "1");
    const delivered = deliver([join(root, "a.yaml")]);
    const release = delivered.hold();
    let ended = false;
    const ending = delivered.started.then(() => {
      ended = true;
    });
    await delivered.until("the delivery", says("a.yaml=1"));
    await sleep(20);
    expect(ended).toBe(false);
    release();
    await ending;
  });

  test("never two deliveries at once; what comes meanwhile is one delivery, of the newest state", async () => {
    write("a.yaml", "0");
    const { values, started, hold, until } = deliver([join(root, "a.yaml")]);
    await started;
    const release = hold();
    write("a.yaml", "1");
    await until("the first of them", says("a.yaml=1"));
    for (let nth = 2; nth <= 5; nth++) {
      write("a.yaml", String(nth));
      await sleep(60);
    }
    expect(values).toHaveLength(2);
    release();
    await until("the newest", says("a.yaml=5"));
    expect(values.map(({ what }) => what).filter((what) => what === "a.yaml=2" || what === "a.yaml=3")).toEqual([]);
  });

  test("50 quick writes are few deliveries, and the last content arrives", async () => {
    write("a.yaml", "0");
    const { values, started, until } = deliver([join(root, "a.yaml")]);
    await started;
    for (let nth = 1; nth <= 50; nth++) {
      write("a.tmp", String(nth));
      renameSync(join(root, "a.tmp"), join(root, "a.yaml"));
      if (nth % 10 === 0) await sleep(1);
    }
    await until("the last content", says("a.yaml=50"));
    expect(values.length).toBeLessThan(10);
  });

  test("nothing is delivered after close, not even what already waits", async () => {
    write("a.yaml", "0");
    const { values, provider, started, hold, until } = deliver([join(root, "a.yaml")]);
    await started;
    const release = hold();
    write("a.yaml", "1");
    await until("the delivery", says("a.yaml=1"));
    write("a.yaml", "2");
    await sleep(100);
    await provider.close();
    await provider.close();
    release();
    write("a.yaml", "3");
    await sleep(100);
    expect(values.map(({ what }) => what)).toEqual(["a.yaml=0", "a.yaml=1"]);
  });

  test("a provider that is closed while it starts delivers nothing and leaves no system watch", async () => {
    write("a.yaml", "0");
    const before = watchedDirectories().length;
    const { values, provider, started } = deliver([join(root, "a.yaml")]);
    await provider.close();
    await started;
    expect(watchedDirectories().length).toBe(before);
    write("a.yaml", "1");
    await sleep(100);
    expect(values).toEqual([]);
  });
});
