import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLineOutput } from "../../src/observe/line-output.ts";
import { eventually } from "../files/recorder.ts";

let folder: string;
let descriptor: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lines-"));
  descriptor = openSync(join(folder, "out"), "a");
});

afterEach(() => {
  closeSync(descriptor);
  rmSync(folder, { recursive: true });
});

const written = (): string => readFileSync(join(folder, "out"), "utf8");

test("lines come out whole and in order, also when they are longer than a chunk", async () => {
  const output = createLineOutput(descriptor, { waitingBytesMax: 10_000_000, dropped: () => {} });
  const lines = Array.from({ length: 300 }, (_, nth) => `${nth} ${"é".repeat(nth * 50)}\n`);
  lines.push(`${"long".repeat(100_000)}\n`, "last\n");
  for (const line of lines) output.write(line);
  await eventually("the last line", () => written().endsWith("last\n"));
  expect(written()).toBe(lines.join(""));
});

test("what finds no room is dropped and told once there is room again", async () => {
  const told: number[] = [];
  const output = createLineOutput(descriptor, { waitingBytesMax: 25, dropped: (lines) => told.push(lines) });
  // The first line is on its way at once and waits for nobody; then there is room for two more of ten bytes.
  for (let nth = 0; nth < 6; nth++) output.write(`line ${nth}...\n`);
  expect(told).toEqual([]);
  await eventually("the drops are told", () => told.length > 0);
  expect(told).toEqual([3]);
  expect(written()).toBe("line 0...\nline 1...\nline 2...\n");
  output.write("more\n");
  await eventually("the next line", () => written().endsWith("more\n"));
  expect(told).toEqual([3]);
});

test("flush writes what waits before it returns", () => {
  const output = createLineOutput(descriptor, { waitingBytesMax: 10_000_000, dropped: () => {} });
  for (let nth = 0; nth < 1000; nth++) output.write(`${nth}\n`);
  output.flush();
  expect(written().split("\n")).toContain("999");
});

test("a pipe that does not block and is read slowly gets everything in order", async () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const end = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    const output = createLineOutput(end, { waitingBytesMax: 10_000_000, dropped: () => {} });
    const lines = Array.from({ length: 50 }, (_, nth) => `${nth} ${"x".repeat(10_000)}\n`);
    for (const line of lines) output.write(line);
    let read = "";
    const buffer = Buffer.alloc(7_000);
    while (read.length < lines.join("").length) {
      await sleep(1);
      try {
        read += buffer.toString("utf8", 0, readSync(end, buffer));
      } catch (error) {
        expect(error).toMatchObject({ code: "EAGAIN" });
      }
    }
    expect(read).toBe(lines.join(""));
  } finally {
    closeSync(end);
  }
});
