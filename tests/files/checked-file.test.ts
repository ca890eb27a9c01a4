import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readChecked, removeLeftovers, writeChecked } from "../../src/files/checked-file.ts";

let root: string;
let path: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "checked-"));
  path = join(root, "folder", "file");
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test("what was written is read again, and the newest of several", async () => {
  for (const text of ["", "one\ntwo\n", "ünïcode \u{1f600}", "x".repeat(100_000)]) {
    await writeChecked(path, text);
    expect(await readChecked(path)).toEqual({ kind: "read", text });
  }
  expect(readdirSync(join(root, "folder"))).toEqual(["file"]);
});

test("file and folder are for their owner only", async () => {
  await writeChecked(path, "text");
  expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
  expect((statSync(join(root, "folder")).mode & 0o777).toString(8)).toBe("700");
});

test("no file is no fault", async () => {
  expect(await readChecked(path)).toEqual({ kind: "missing" });
});

describe("what is not what was written is not read", () => {
  const written = async (): Promise<Buffer> => {
    await writeChecked(path, "the text that was written\n");
    return readFileSync(path);
  };

  test("cut short anywhere", async () => {
    const bytes = await written();
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length));
      expect([length, (await readChecked(path)).kind]).toEqual([length, "broken"]);
    }
  });

  test("any byte changed, and anything added", async () => {
    const bytes = await written();
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ change;
        writeFileSync(path, changed);
        expect((await readChecked(path)).kind).toBe("broken");
      }),
      { seed: 1, numRuns: 100 },
    );
    writeFileSync(path, Buffer.concat([bytes, Buffer.from("x")]));
    expect((await readChecked(path)).kind).toBe("broken");
  });

  test("a link, a folder, what everybody may write to", async () => {
    const bytes = await written();
    chmodSync(path, 0o606);
    expect(await readChecked(path)).toEqual({ kind: "broken", reason: "every user of this machine may write to it" });
    rmSync(path);
    writeFileSync(join(root, "elsewhere"), bytes);
    symlinkSync(join(root, "elsewhere"), path);
    expect(await readChecked(path)).toEqual({ kind: "broken", reason: "it cannot be read: ELOOP" });
    rmSync(path);
    mkdirSync(path);
    expect(await readChecked(path)).toEqual({ kind: "broken", reason: "it is no regular file" });
  });
});

test("a write that fails says so, leaves the old file and nothing beside it", async () => {
  await writeChecked(path, "old");
  rmSync(path);
  mkdirSync(path);
  writeFileSync(join(path, "in the way"), "");
  await expect(writeChecked(path, "new")).rejects.toThrow();
  expect(readdirSync(join(root, "folder"))).toEqual(["file"]);
});

test("what a killed process has left is removed, and nothing else", async () => {
  await writeChecked(path, "text");
  for (const name of ["file.1234.new", "other.1234.new", "file.new.txt"]) writeFileSync(join(root, "folder", name), "");
  await removeLeftovers(path);
  expect(readdirSync(join(root, "folder")).sort()).toEqual(["file", "file.new.txt", "other.1234.new"]);
  await removeLeftovers(join(root, "nowhere", "file"));
});
