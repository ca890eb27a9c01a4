import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FilesError, type FilesState, readFiles } from "../../src/files/read-files.ts";
import { type FileWatch, type WatchOptions, watchFiles } from "../../src/files/watch.ts";
import { eventually, type Recorder, recorder } from "./recorder.ts";
import { watchedDirectories } from "./watched-directories.ts";

/** No poll: what these tests see was noticed. */
const withoutPoll: Partial<WatchOptions> = { debounceMs: 30, pollMs: 3_600_000 };

let root: string;
const watches: FileWatch[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "watch-"));
});

afterEach(async () => {
  for (const watch of watches.splice(0)) await watch.close();
  rmSync(root, { recursive: true, force: true });
});

interface Watched extends Recorder<FilesState> {
  readonly first: FilesState;
  close(): Promise<void>;
}

async function start(paths: readonly string[], options: Partial<WatchOptions> = withoutPoll): Promise<Watched> {
  const states = recorder<FilesState>();
  const watch = await watchFiles(paths, states.record, options);
  watches.push(watch);
  return { ...states, first: watch.first, close: () => watch.close() };
}

/** `name=content` of every file, or the code of the failure. */
function summary(state: FilesState | undefined): string {
  if (state === undefined) return "nothing";
  if (state.kind === "failed") return state.error.code;
  return state.files.map(({ path, bytes }) => `${path.slice(dirname(path).length + 1)}=${new TextDecoder().decode(bytes)}`).join(" ");
}

const is = (expected: string) => (state: FilesState) => summary(state) === expected;

/** A Kubernetes volume, written by the same steps as kubelet's AtomicWriter. */
function kubernetesVolume(folder: string, files: Record<string, string>, generation: number): void {
  const fresh = `..2026_01_01_00_00_${String(generation).padStart(2, "0")}.123456789`;
  const old = readdirSync(folder).filter((name) => name.startsWith("..2026"));
  const visible = readdirSync(folder).filter((name) => !name.startsWith(".."));
  mkdirSync(join(folder, fresh));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, fresh, name), content);
  symlinkSync(fresh, join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  for (const name of Object.keys(files)) if (!visible.includes(name)) symlinkSync(join("..data", name), join(folder, name));
  for (const name of visible) if (!(name in files)) unlinkSync(join(folder, name));
  for (const name of old) rmSync(join(folder, name), { recursive: true });
}

interface Way {
  readonly name: string;
  /** Makes the first state in the empty directory, returns the paths to watch. */
  readonly prepare: (root: string, content: string) => string[];
  readonly replace: (root: string, content: string, nth: number) => void;
}

const ways: readonly Way[] = [
  {
    name: "a file written in place",
    prepare: (root, content) => file(root, "a.yaml", content),
    replace: (root, content) => writeFileSync(join(root, "a.yaml"), content),
  },
  {
    name: "a file truncated and appended to",
    prepare: (root, content) => file(root, "a.yaml", content),
    replace: (root, content) => {
      truncateSync(join(root, "a.yaml"));
      appendFileSync(join(root, "a.yaml"), content);
    },
  },
  {
    name: "a file renamed over",
    prepare: (root, content) => file(root, "a.yaml", content),
    replace: (root, content) => renamedOver(join(root, "a.yaml"), content),
  },
  {
    name: "a file deleted and created again",
    prepare: (root, content) => file(root, "a.yaml", content),
    replace: (root, content) => {
      unlinkSync(join(root, "a.yaml"));
      writeFileSync(join(root, "a.yaml"), content);
    },
  },
  {
    name: "a file moved away and written anew, as vim does",
    prepare: (root, content) => file(root, "a.yaml", content),
    replace: (root, content) => {
      renameSync(join(root, "a.yaml"), join(root, "a.yaml~"));
      writeFileSync(join(root, "a.yaml"), content);
      unlinkSync(join(root, "a.yaml~"));
    },
  },
  {
    name: "the file's directory replaced by another one",
    prepare: (root, content) => {
      mkdirSync(join(root, "conf"));
      return file(join(root, "conf"), "a.yaml", content);
    },
    replace: (root, content) => {
      mkdirSync(join(root, "fresh"));
      writeFileSync(join(root, "fresh", "a.yaml"), content);
      renameSync(join(root, "conf"), join(root, "old"));
      renameSync(join(root, "fresh"), join(root, "conf"));
      rmSync(join(root, "old"), { recursive: true });
    },
  },
  {
    name: "the file's directory deleted and made again",
    prepare: (root, content) => {
      mkdirSync(join(root, "conf"));
      return file(join(root, "conf"), "a.yaml", content);
    },
    replace: (root, content) => {
      rmSync(join(root, "conf"), { recursive: true });
      mkdirSync(join(root, "conf"));
      writeFileSync(join(root, "conf", "a.yaml"), content);
    },
  },
  {
    name: "a link to a file, set to another file",
    prepare: (root, content) => {
      writeFileSync(join(root, "a-0.yaml"), content);
      symlinkSync("a-0.yaml", join(root, "a.yaml"));
      return [join(root, "a.yaml")];
    },
    replace: (root, content, nth) => {
      writeFileSync(join(root, `a-${nth}.yaml`), content);
      symlinkSync(`a-${nth}.yaml`, join(root, "link"));
      renameSync(join(root, "link"), join(root, "a.yaml"));
    },
  },
  {
    name: "the file behind a link into another directory",
    prepare: (root, content) => {
      mkdirSync(join(root, "real"));
      mkdirSync(join(root, "links"));
      writeFileSync(join(root, "real", "b.yaml"), content);
      symlinkSync(join(root, "real", "b.yaml"), join(root, "links", "a.yaml"));
      return [join(root, "links", "a.yaml")];
    },
    replace: (root, content) => renamedOver(join(root, "real", "b.yaml"), content),
  },
  {
    name: "a release folder behind a link `current`",
    prepare: (root, content) => {
      mkdirSync(join(root, "release-0"));
      writeFileSync(join(root, "release-0", "a.yaml"), content);
      symlinkSync("release-0", join(root, "current"));
      return [join(root, "current")];
    },
    replace: (root, content, nth) => {
      mkdirSync(join(root, `release-${nth}`));
      writeFileSync(join(root, `release-${nth}`, "a.yaml"), content);
      symlinkSync(`release-${nth}`, join(root, "next"));
      renameSync(join(root, "next"), join(root, "current"));
    },
  },
  {
    name: "a file of a Kubernetes volume",
    prepare: (root, content) => {
      kubernetesVolume(root, { "a.yaml": content }, 0);
      return [join(root, "a.yaml")];
    },
    replace: (root, content, nth) => kubernetesVolume(root, { "a.yaml": content }, nth),
  },
  {
    name: "a Kubernetes volume as a folder",
    prepare: (root, content) => {
      kubernetesVolume(root, { "a.yaml": content }, 0);
      return [root];
    },
    replace: (root, content, nth) => kubernetesVolume(root, { "a.yaml": content }, nth),
  },
  {
    name: "a file of a folder, renamed over",
    prepare: (root, content) => {
      file(root, "a.yaml", content);
      return [root];
    },
    replace: (root, content) => renamedOver(join(root, "a.yaml"), content),
  },
];

function file(folder: string, name: string, content: string): string[] {
  writeFileSync(join(folder, name), content);
  return [join(folder, name)];
}

function renamedOver(path: string, content: string): void {
  writeFileSync(`${path}.tmp`, content);
  renameSync(`${path}.tmp`, path);
}

describe("every way of replacing files is noticed, time after time", () => {
  test.each(ways)("$name", async ({ prepare, replace }) => {
    const watched = await start(prepare(root, "state 0"));
    const of = (state: FilesState) => summary(state).replace(/^\S+=/, "");
    expect(of(watched.first)).toBe("state 0");
    for (let nth = 1; nth <= 4; nth++) {
      replace(root, `state ${nth}`, nth);
      await watched.until(`state ${nth}`, (state) => of(state) === `state ${nth}`);
    }
    expect(watched.values.map(of)).toEqual(["state 1", "state 2", "state 3", "state 4"]);
  });
});

describe("folders", () => {
  test("stand for their *.yaml and *.yml files, sorted, without dot-files, other names and subfolders", async () => {
    for (const name of ["b.yaml", "a.yml", "C.yaml", ".hidden.yaml", "notes.md", "a.yaml~"]) writeFileSync(join(root, name), "x");
    mkdirSync(join(root, "sub"));
    writeFileSync(join(root, "sub", "d.yaml"), "x");
    const watched = await start([root]);
    expect(summary(watched.first)).toBe("C.yaml=x a.yml=x b.yaml=x");
  });

  test("a file that comes and one that goes are changes; a file that does not belong is none", async () => {
    writeFileSync(join(root, "a.yaml"), "1");
    const watched = await start([root]);
    writeFileSync(join(root, "notes.md"), "x");
    writeFileSync(join(root, "b.yaml"), "2");
    await watched.until("b.yaml came", is("a.yaml=1 b.yaml=2"));
    unlinkSync(join(root, "a.yaml"));
    await watched.until("a.yaml went", is("b.yaml=2"));
    expect(watched.values.map(summary)).toEqual(["a.yaml=1 b.yaml=2", "b.yaml=2"]);
  });

  test("files of a Kubernetes volume come and go with one swap", async () => {
    kubernetesVolume(root, { "a.yaml": "1", "b.yaml": "1" }, 0);
    const watched = await start([root]);
    expect(summary(watched.first)).toBe("a.yaml=1 b.yaml=1");
    kubernetesVolume(root, { "b.yaml": "2", "c.yaml": "2" }, 1);
    await watched.until("the swap", is("b.yaml=2 c.yaml=2"));
    expect(watched.values.map(summary)).toEqual(["b.yaml=2 c.yaml=2"]);
  });

  test("a file inside that is a link is followed", async () => {
    const folder = join(root, "folder");
    mkdirSync(folder);
    writeFileSync(join(root, "real"), "1");
    symlinkSync(join(root, "real"), join(folder, "a.yaml"));
    const watched = await start([folder]);
    renamedOver(join(root, "real"), "2");
    await watched.until("the change behind the link", is("a.yaml=2"));
  });

  test("a file named twice, by itself and by its folder, is read once", async () => {
    writeFileSync(join(root, "a.yaml"), "1");
    const { first } = await start([join(root, "a.yaml"), root, `${root}/./a.yaml`]);
    expect(first.kind === "read" && first.files.map(({ path }) => path)).toEqual([join(root, "a.yaml")]);
  });
});

describe("failures", () => {
  const rootUser = process.getuid?.() === 0;

  test("what is missing is a failure and never an empty state, and its coming is noticed, directories included", async () => {
    const path = join(root, "not", "yet", "a.yaml");
    const watched = await start([path]);
    expect(summary(watched.first)).toBe("missing");
    mkdirSync(join(root, "not"));
    mkdirSync(join(root, "not", "yet"));
    writeFileSync(path, "1");
    await watched.until("the file", is("a.yaml=1"));
    rmSync(join(root, "not"), { recursive: true });
    await watched.until("the failure", is("missing"));
    mkdirSync(join(root, "not", "yet"), { recursive: true });
    writeFileSync(path, "1");
    await watched.until("the file again", is("a.yaml=1"), watched.values.findIndex(is("missing")));
    expect(watched.values.map(summary)).toEqual(["a.yaml=1", "missing", "a.yaml=1"]);
  });

  test("a folder that loses its last file fails", async () => {
    writeFileSync(join(root, "a.yaml"), "1");
    const watched = await start([root]);
    unlinkSync(join(root, "a.yaml"));
    await watched.until("the failure", is("empty-folder"));
  });

  test("a dangling link is missing until its target is there", async () => {
    symlinkSync("target", join(root, "a.yaml"));
    const watched = await start([join(root, "a.yaml")]);
    expect(summary(watched.first)).toBe("missing");
    writeFileSync(join(root, "target"), "1");
    await watched.until("the target", is("a.yaml=1"));
  });

  test("links in a circle are a failure", async () => {
    symlinkSync("b.yaml", join(root, "a.yaml"));
    symlinkSync("a.yaml", join(root, "b.yaml"));
    expect(summary((await start([join(root, "a.yaml")])).first)).toBe("unreadable");
  });

  test("an unreadable file is a failure that names path and cause, and its mending is noticed", async (context) => {
    if (rootUser) context.skip("root may read everything");
    const path = join(root, "a.yaml");
    writeFileSync(path, "1");
    const watched = await start([path]);
    chmodSync(path, 0o000);
    const failed = await watched.until("the failure", is("unreadable"));
    expect(failed.kind === "failed" && failed.error.message).toContain(`\`${path}\`: EACCES`);
    chmodSync(path, 0o644);
    await watched.until("the mending", is("a.yaml=1"));
  });

  test("a file of a size beyond the limit, files beyond their number, a named pipe: refused at once", async () => {
    writeFileSync(join(root, "a.yaml"), "12345");
    writeFileSync(join(root, "b.yaml"), "1234");
    execFileSync("mkfifo", [join(root, "pipe")]);
    const limits = { filesMax: 2, fileBytesMax: 5 };
    const results = await Promise.all([
      readFiles([join(root, "a.yaml")], { ...limits, fileBytesMax: 4 }),
      readFiles([join(root, "a.yaml")], limits),
      readFiles([root], { ...limits, filesMax: 1 }),
      readFiles([root], limits),
      readFiles([join(root, "pipe")], limits),
    ]);
    expect(results.map(summary)).toEqual(["too-large", "a.yaml=12345", "too-many", "a.yaml=12345 b.yaml=1234", "not-a-file"]);
    expect(errorOf(results[0]).message).toBe(`cannot read \`${join(root, "a.yaml")}\`: larger than 4 bytes; split it into several files`);
  });

  test("an error while reading is a failure that names path and cause", async () => {
    expect(errorOf(await readFiles(["/proc/self/mem"])).message).toContain("cannot read `/proc/self/mem`: EIO");
  });

  test("a file whose system says it is empty is read whole", async () => {
    const state = await readFiles(["/proc/self/status"]);
    expect(summary(state)).toMatch(/^status=Name:[\s\S]*ctxt_switches/);
  });
});

describe("when", () => {
  test("50 writes in a row come together, and the last one always arrives", async () => {
    const path = join(root, "a.yaml");
    writeFileSync(path, "0");
    const watched = await start([path], { debounceMs: 100, waitMsMax: 400, pollMs: 3_600_000 });
    const startedAt = performance.now();
    for (let nth = 1; nth <= 50; nth++) {
      renamedOver(path, String(nth));
      await sleep(20);
    }
    await watched.until("the last content", is("a.yaml=50"));
    // 50 writes take a second at least: without a maximum wait one state would come, without a debounce about 50.
    expect(watched.values.length).toBeGreaterThanOrEqual(2);
    expect(watched.values.length).toBeLessThanOrEqual((performance.now() - startedAt) / 100 + 1);
  });

  test("the maximum wait holds also when something is noticed during every read", async () => {
    mkdirSync(join(root, "real"));
    for (let nth = 0; nth < 300; nth++) writeFileSync(join(root, "real", `b-${nth}.yaml`), "x");
    symlinkSync("real", join(root, "current"));
    const watched = await start([join(root, "current")], { debounceMs: 5, waitMsMax: 200, pollMs: 3_600_000 });
    writeFileSync(join(root, "real", "a.yaml"), "1");
    for (let nth = 1; nth <= 100 && watched.values.length === 0; nth++) {
      symlinkSync("real", join(root, "next"));
      renameSync(join(root, "next"), join(root, "current"));
      await sleep(15);
    }
    expect(watched.values.map((state) => summary(state).slice(0, 8))).toEqual(["a.yaml=1"]);
  });

  test("contents that are the same as before are no change", async () => {
    const path = join(root, "a.yaml");
    writeFileSync(path, "1");
    const watched = await start([path]);
    for (let nth = 0; nth < 3; nth++) {
      renamedOver(path, "1");
      await sleep(60);
    }
    renamedOver(path, "2");
    await watched.until("the change", is("a.yaml=2"));
    expect(watched.values.map(summary)).toEqual(["a.yaml=2"]);
  });

  test("what no watch shows, the poll finds: a directory far above is replaced", async () => {
    const path = join(root, "top", "middle", "conf", "a.yaml");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "1");
    const watched = await start([path], { debounceMs: 30, pollMs: 100 });
    renameSync(join(root, "top"), join(root, "old"));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "2");
    await watched.until("the change", is("a.yaml=2"));
    expect(watchedDirectories()).toContain(statSync(dirname(path)).ino);
  });

  test("files that are away for a moment while they are read are no failure", async () => {
    const folder = join(root, "conf");
    mkdirSync(folder);
    for (let nth = 0; nth < 100; nth++) writeFileSync(join(folder, `b-${nth}.yaml`), "x");
    const watched = await start([folder], { debounceMs: 150, waitMsMax: 10_000, pollMs: 3_600_000 });
    for (let nth = 1; nth <= 10; nth++) {
      writeFileSync(join(folder, "a.yaml"), String(nth));
      await sleep(150 + nth);
      renameSync(folder, join(root, "away"));
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      renameSync(join(root, "away"), folder);
    }
    await watched.until("the last content", (state) => summary(state).startsWith("a.yaml=10 "));
    expect(watched.values.filter(({ kind }) => kind === "failed")).toEqual([]);
  });

  test("a change that comes while the first state is read is not lost", async () => {
    for (let nth = 0; nth < 200; nth++) writeFileSync(join(root, `b-${nth}.yaml`), "x");
    const startedAt = performance.now();
    await readFiles([root]);
    const readingMs = performance.now() - startedAt;
    for (let nth = 0; nth < 20; nth++) {
      writeFileSync(join(root, "a.yaml"), "before");
      const starting = start([root], { debounceMs: 1, pollMs: 3_600_000 });
      await sleep((readingMs * nth) / 15);
      writeFileSync(join(root, "a.yaml"), "after");
      const watched = await starting;
      const latest = () => summary(watched.values.at(-1) ?? watched.first);
      await eventually("the change", () => latest().startsWith("a.yaml=after"));
      await watched.close();
    }
  });

  test("many files of one swap are always of one generation", async () => {
    const names = Array.from({ length: 20 }, (_, nth) => `${String(nth).padStart(2, "0")}.yaml`);
    const generation = (nth: number) => Object.fromEntries(names.map((name) => [name, String(nth)]));
    kubernetesVolume(root, generation(0), 0);
    const watched = await start([root], { debounceMs: 1, waitMsMax: 10, pollMs: 3_600_000 });
    for (let nth = 1; nth <= 60; nth++) {
      kubernetesVolume(root, generation(nth), nth);
      // A slow machine may never have read one before the next one comes.
      if (nth === 30) await watched.until("a generation on the way", ({ kind }) => kind === "read");
      else await sleep(nth % 7);
    }
    const contents = (state: FilesState) =>
      new Set(
        summary(state)
          .split(" ")
          .map((text) => text.slice("00.yaml=".length)),
      );
    await watched.until("the last generation", (state) => contents(state).has("60"));
    for (const state of watched.values) if (state.kind === "read") expect(contents(state).size).toBe(1);
    expect(watched.values.length).toBeGreaterThan(1);
  });
});

describe("close", () => {
  test("nothing is called afterwards, twice is fine, and no system watch is left", async () => {
    const path = join(root, "a.yaml");
    writeFileSync(path, "0");
    const before = watchedDirectories().length;
    const watched = await start([path]);
    expect(watchedDirectories().length).toBeGreaterThan(before);
    writeFileSync(path, "1");
    await watched.close();
    await watched.close();
    expect(watchedDirectories().length).toBe(before);
    // Another watch of the same file shows when the events of these writes have come through.
    const other = await start([path]);
    writeFileSync(path, "2");
    await other.until("the write", is("a.yaml=2"));
    expect(watched.values).toEqual([]);
  });

  test("nothing is called afterwards, whatever was under way", async () => {
    const path = join(root, "a.yaml");
    for (let nth = 0; nth < 30; nth++) {
      const watched = await start(file(root, "a.yaml", `before ${nth}`), { debounceMs: 1, pollMs: 3_600_000 });
      writeFileSync(path, `after ${nth}`);
      await sleep(nth / 5);
      const closing = watched.close();
      const seen = watched.values.length;
      await closing;
      await sleep(2);
      expect(watched.values.length).toBe(seen);
    }
  });

  test("a directory that nothing leads to any more is left alone", async () => {
    for (const release of ["release-0", "release-1"]) {
      mkdirSync(join(root, release));
      writeFileSync(join(root, release, "a.yaml"), release);
    }
    symlinkSync("release-0", join(root, "current"));
    const watched = await start([join(root, "current")]);
    const before = watchedDirectories().length;
    symlinkSync("release-1", join(root, "next"));
    renameSync(join(root, "next"), join(root, "current"));
    await watched.until("the other release", is("a.yaml=release-1"));
    expect(watchedDirectories().length).toBe(before);
  });

  test("replacing again and again leaves as many system watches as before", async () => {
    kubernetesVolume(root, { "a.yaml": "0" }, 0);
    const watched = await start([root]);
    const before = watchedDirectories().length;
    for (let nth = 1; nth <= 10; nth++) {
      kubernetesVolume(root, { "a.yaml": String(nth) }, nth);
      await watched.until(`generation ${nth}`, is(`a.yaml=${nth}`));
    }
    expect(watchedDirectories().length).toBe(before);
  });

  test("a watch does not keep a process alive", () => {
    writeFileSync(join(root, "a.yaml"), "1");
    const program = `
      import { watchFiles } from ${JSON.stringify(new URL("../../src/files/watch.ts", import.meta.url).href)};
      const watch = await watchFiles([${JSON.stringify(root)}], () => {});
      console.log(watch.first.kind);
    `;
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8", timeout: 20_000 });
    expect(output).toBe("read\n");
  });
});

function errorOf(state: FilesState | undefined): FilesError {
  if (state?.kind !== "failed") throw new Error("expected a failure");
  return state.error;
}
