import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLineFile } from "../../src/observe/line-file.ts";
import { eventually } from "../files/recorder.ts";

let folder: string;
let path: string;
let told: unknown[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "line-file-"));
  path = join(folder, "decisions.jsonl");
  told = [];
});

afterEach(() => rmSync(folder, { recursive: true }));

const lineFile = (waitingBytesMax = 10_000_000) => createLineFile(path, { waitingBytesMax, failed: (error) => told.push(error) });
const written = (file = path): string => readFileSync(file, "utf8");
/** Longer than a look at the file's name is good for. */
const untilLookedAgain = (): Promise<void> => sleep(1_100);

test("lines come out whole and in order, behind what is there, also when they are longer than a chunk", async () => {
  const file = lineFile();
  const lines = Array.from({ length: 300 }, (_, nth) => `${nth} ${"é".repeat(nth * 50)}\n`);
  lines.push(`${"long".repeat(100_000)}\n`, "last\n");
  for (const line of lines) file.write(line);
  await file.close(10_000);
  expect(written()).toBe(lines.join(""));
  expect(file.counts()).toEqual({ written: lines.length, dropped: 0, waiting: 0 });
  expect(statSync(path).mode & 0o007).toBe(0);
  const again = lineFile();
  again.write("again\n");
  await again.close(10_000);
  expect(written().endsWith("last\nagain\n")).toBe(true);
});

test("what finds no room is dropped and counted, and so is what comes after the end", async () => {
  const file = lineFile(25);
  for (let nth = 0; nth < 6; nth++) file.write(`line ${nth}...\n`);
  await file.close(10_000);
  file.write("late\n");
  const { written: lines, dropped } = file.counts();
  expect([lines + dropped, dropped >= 3, written().split("\n").length - 1]).toEqual([7, true, lines]);
  expect(told).toEqual([]);
});

describe("a file is rotated, and no line is lost or torn", () => {
  test("renamed", async () => {
    const file = lineFile();
    file.write("before\n");
    await eventually("the line", () => file.counts().written === 1);
    renameSync(path, `${path}.1`);
    await untilLookedAgain();
    file.write("after\n");
    await eventually("the next line", () => file.counts().written === 2);
    expect([written(`${path}.1`), written()]).toEqual(["before\n", "after\n"]);
    await file.close(10_000);
  });

  test("removed", async () => {
    const file = lineFile();
    file.write("before\n");
    await eventually("the line", () => file.counts().written === 1);
    unlinkSync(path);
    await untilLookedAgain();
    file.write("after\n");
    await file.close(10_000);
    expect(written()).toBe("after\n");
  });

  test("cut", async () => {
    const file = lineFile();
    file.write("before, and long\n");
    await eventually("the line", () => file.counts().written === 1);
    truncateSync(path);
    file.write("after\n");
    await file.close(10_000);
    expect(written()).toBe("after\n");
  });
});

describe("what cannot be written is told once and tried again, and nobody waits", () => {
  test("a folder that is not there yet", async () => {
    path = join(folder, "later", "decisions.jsonl");
    const file = lineFile();
    file.write("one\n");
    await eventually("the failure", () => told.length > 0);
    file.write("two\n");
    execFileSync("mkdir", [join(folder, "later")]);
    await eventually("the lines", () => file.counts().written === 2);
    expect(told).toMatchObject([{ code: "ENOENT" }]);
    expect(written()).toBe("one\ntwo\n");
    await file.close(10_000);
  });

  test("a full disk", async () => {
    path = "/dev/full";
    const file = lineFile();
    file.write("one\n");
    await eventually("the failure", () => told.length > 0);
    expect(told).toMatchObject([{ code: "ENOSPC" }]);
    expect(file.counts()).toEqual({ written: 0, dropped: 0, waiting: 1 });
    await file.close(10_000);
    expect([file.counts(), told.length]).toEqual([{ written: 0, dropped: 1, waiting: 0 }, 1]);
  });

  test("a pipe that nobody reads", async () => {
    execFileSync("mkfifo", [path]);
    const file = lineFile(1_000);
    for (let nth = 0; nth < 100; nth++) file.write(`line ${nth} of many\n`);
    await eventually("the failure", () => told.length > 0);
    expect(told).toMatchObject([{ code: "ENXIO" }]);
    await file.close(10_000);
    expect(file.counts()).toEqual({ written: 0, dropped: 100, waiting: 0 });
  });

  test("a pipe whose reader hangs: its lines wait until it goes on, and the end is bounded", async () => {
    execFileSync("mkfifo", [path]);
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      const file = lineFile();
      const lines = Array.from({ length: 400 }, (_, nth) => `${nth} ${"x".repeat(1_000)}\n`);
      for (const line of lines) file.write(line);
      await eventually("the pipe is full", () => file.counts().waiting > 0 && file.counts().written > 0);
      const began = performance.now();
      await file.close(50);
      expect(performance.now() - began).toBeLessThan(5_000);
      const { written: whole, dropped } = file.counts();
      expect([whole + dropped, told]).toEqual([400, []]);
      const read = Buffer.alloc(500_000);
      const text = read.toString("utf8", 0, readSync(reader, read));
      expect(lines.join("").startsWith(text)).toBe(true);
    } finally {
      closeSync(reader);
    }
  });
});
