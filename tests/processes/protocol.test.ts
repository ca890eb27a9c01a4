import { deserialize, serialize } from "node:v8";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { problem } from "../../src/errors.ts";
import { areFamilies } from "../../src/processes/merge-metrics.ts";
import { isOrder, isReport, type Order, type Report } from "../../src/processes/protocol.ts";
import { areCounts } from "../../src/processes/sum-counts.ts";

const position = { uri: "a.yaml", line: 1, column: 2 };
const problems = [problem("wrong-version", { position, path: "" }, { supported: 1 })];

const orders: readonly Order[] = [
  { kind: "start", protocol: 1, index: 0, settings: { uri: "settings.yaml", text: "version: 1" }, directory: "/etc" },
  { kind: "listen" },
  { kind: "prepare", transaction: 7, documents: [{ uri: "a.yaml", text: "version: 1", provider: "file" }] },
  { kind: "commit", transaction: 7, generation: 3 },
  { kind: "drop", transaction: 7 },
  { kind: "ask", question: 1, about: { kind: "pulse" } },
  { kind: "ask", question: 1, about: { kind: "metrics" } },
  { kind: "ask", question: 1, about: { kind: "counts" } },
  { kind: "ask", question: 1, about: { kind: "detail" } },
  { kind: "ask", question: 1, about: { kind: "route", name: "orders" } },
  { kind: "ask", question: 1, about: { kind: "decision", id: "id" } },
  { kind: "ask", question: 1, about: { kind: "explain", text: "route: orders" } },
  { kind: "stop" },
  { kind: "end" },
];

const reports: readonly Report[] = [
  { kind: "started", protocol: 1, version: "1.0.0" },
  {
    kind: "listening",
    addresses: [
      { kind: "unix", path: "/run/a.sock" },
      { kind: "tcp", host: "::1", port: 1 },
    ],
  },
  { kind: "failed", message: "no" },
  { kind: "prepared", transaction: 7, fingerprint: "00", warnings: problems },
  {
    kind: "refused",
    transaction: 7,
    problems: [...problems, ...problems.map((one) => ({ ...one, related: [{ message: "here", position }] }))],
  },
  { kind: "committed", transaction: 7 },
  { kind: "answer", question: 1, body: { anything: ["goes"] } },
  { kind: "ended", metrics: [] },
];

/** As the channel between processes takes and gives them. */
const carried = (message: unknown): unknown => deserialize(serialize(message));

describe.each([
  ["orders", orders, isOrder],
  ["reports", reports, isReport],
] as const)("%s", (_, messages, isOne: (value: unknown) => boolean) => {
  test.each(messages.map((message) => [JSON.stringify(message).slice(0, 60), message] as const))("%s crosses", (_text, message) => {
    expect(isOne(carried(message))).toBe(true);
  });

  test("one that lacks a key, or has a value of another type in its place, is refused", () => {
    for (const message of messages) {
      for (const way of waysInto(message)) {
        expect(isOne(edited(message, way, undefined)), `${JSON.stringify(message)} without ${way.join(".")}`).toBe(false);
        expect(isOne(edited(message, way, Symbol.iterator)), `${JSON.stringify(message)} with nonsense at ${way.join(".")}`).toBe(false);
      }
    }
  });

  test("whatever else comes is refused, and nothing is thrown", () => {
    const kinds = fc.constantFrom(...messages.map(({ kind }) => kind));
    const message = fc.oneof(fc.anything(), fc.record({ kind: kinds }, { requiredKeys: [] }));
    fc.assert(
      fc.property(message, (value) => {
        const isWhole = ["stop", "end", "listen", "ended"].includes(String(Object(value).kind));
        expect(isOne(value) && !isWhole).toBe(false);
      }),
      { seed: 16, numRuns: 2_000 },
    );
  });
});

test("numbers of a worker are looked at before they are added", () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const isEmpty = Array.isArray(value) && value.length === 0;
      expect([areFamilies(value) && !isEmpty, areCounts(value)]).toEqual([false, false]);
    }),
    { seed: 16, numRuns: 2_000 },
  );
});

type Way = readonly (string | number)[];

/** The places of all values that must be what they are; what is behind `body` and `metrics` is looked at by whoever asked for it. */
function waysInto(value: unknown, way: Way = []): readonly Way[] {
  if (typeof value !== "object" || value === null) return [way];
  const inside = Object.entries(value).flatMap(([key, part]) =>
    ["body", "metrics", "related"].includes(key) ? [] : waysInto(part, [...way, key]),
  );
  return inside;
}

function edited(value: unknown, [key, ...rest]: Way, put: unknown): unknown {
  if (key === undefined) return put;
  if (Array.isArray(value)) return value.map((part, index) => (String(index) === key ? edited(part, rest, put) : part));
  return { ...Object(value), [key]: edited(Object(value)[key], rest, put) };
}
