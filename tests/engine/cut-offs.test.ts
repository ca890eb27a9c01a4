import { expect, test } from "vitest";
import { createCutOffs } from "../../src/engine/cut-offs.ts";

test("every one is counted by its reason, and each reason is logged once a minute", () => {
  let nowMs = 0;
  const lines: unknown[] = [];
  const { add, families } = createCutOffs({ warn: (facts) => void lines.push(facts) }, () => nowMs);
  for (const atMs of [0, 1, 59_999, 60_000]) {
    nowMs = atMs;
    add({ reason: "bound", detail: "too many PINGs" });
  }
  add({ reason: "tls", detail: "no handshake" });
  expect(lines).toEqual([
    { reason: "bound", detail: "too many PINGs", count: 1 },
    { reason: "bound", detail: "too many PINGs", count: 4 },
    { reason: "tls", detail: "no handshake", count: 1 },
  ]);
  const [family] = families();
  const counted = family?.type === "counter" ? family.samples.filter(({ value }) => value > 0) : [];
  expect(counted).toEqual([
    { labels: { reason: "bound" }, value: 4 },
    { labels: { reason: "tls" }, value: 1 },
  ]);
});
