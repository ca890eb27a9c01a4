/** When what could not be saved is tried again, and that nothing older ever takes the place of something newer. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SavedState } from "../../src/providers/saved-state.ts";
import { createStateStore, type StateStore } from "../../src/providers/state-store.ts";
import { eventually } from "../files/recorder.ts";
import { createTestClock, type TestClock } from "../support/test-clock.ts";

let root: string;
let folder: string;
let clock: TestClock;
let failures: number;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "state-store-"));
  folder = join(root, "state");
  clock = createTestClock(0);
  failures = 0;
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const store = (): StateStore => createStateStore(folder, { failed: () => void failures++, startTimer: clock.startTimer });
const state = (generation: number): SavedState => ({ generation, hash: String(generation), since: 0, sources: [] });
const spoil = (): void => writeFileSync(folder, "a file where the folder should be");

test("what could not be saved is tried again after a minute", async () => {
  spoil();
  const { save, status, close } = store();
  save(state(1));
  await eventually("the failure", () => failures === 1);
  await clock.advance(60_000);
  await eventually("the second failure", () => failures === 2);
  rmSync(folder);
  await clock.advance(60_000);
  await eventually("the success", () => status().generation === 1);
  expect(status().failure).toBe(undefined);
  expect(clock.pending).toBe(0);
  await close();
});

test("once something newer is saved, the older one is not tried again", async () => {
  spoil();
  const { save, status, close } = store();
  save(state(1));
  // Comes while the first one is under way.
  save(state(2));
  rmSync(folder);
  await eventually("the newer one", () => status().generation === 2);
  await clock.advance(600_000);
  await close();
  expect(clock.pending).toBe(0);
  expect(status()).toMatchObject({ generation: 2, failure: undefined });
});

test("of many only the newest are written, and the last one always", async () => {
  const { save, close } = store();
  for (let generation = 1; generation <= 200; generation++) save(state(generation));
  await close();
  expect(readFileSync(join(folder, "last-good-generation"), "utf8")).toContain('"generation":200');
});

test("close waits for what is being written, and ends what waits for another try", async () => {
  spoil();
  const { save, close } = store();
  save(state(1));
  await close();
  expect([failures, clock.pending]).toEqual([1, 0]);
});
