import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createDecisionLog } from "../../src/engine/decision-log.ts";
import type { DecisionRecord } from "../../src/engine/decision-record.ts";
import { createExchangeTraces } from "../../src/engine/exchange-traces.ts";
import { decisionSink } from "../../src/engine/record-sinks.ts";
import type { ExchangeEnd } from "../../src/kernel/exchange-counters.ts";
import type { EndedEvent } from "../../src/kernel/kernel-host.ts";
import { createLog } from "../../src/observe/log.ts";
import type { Span } from "../../src/observe/otlp-spans.ts";
import { decodeText } from "../../src/worker/header-store.ts";
import { HeaderLines } from "../../src/worker/received-headers.ts";
import { engineRefusal } from "../../src/worker/reply.ts";
import { attributesOf, startOtlpCollector } from "../support/otlp-collector.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const metadata = { get: (key: string) => (key === "traceparent" ? `00-${traceId}-b7ad6b7169203331-01` : undefined) };

function exchange(end: ExchangeEnd, id: string = randomUUID()): EndedEvent {
  const request = {
    id,
    time: 1_764_118_800_000,
    route: { name: "orders", metadata: {} },
    headers: new HeaderLines([{ name: "x-note", value: Buffer.from("n".repeat(1_000)) }]),
    source: { address: undefined, port: undefined },
    hasBody: false,
    upgrade: false,
  };
  const reply = end === "failed" ? engineRefusal("policy-failed", id, false) : undefined;
  return { id, request, chain: "api", generation: 3, end, metadata, reply, durationMs: 1.25 };
}

function logOf(sample: number) {
  const records: DecisionRecord[] = [];
  const settings = { sample, headers: ["x-note"] };
  return {
    records,
    log: createDecisionLog({ settings, sink: { write: (record) => records.push(record) }, now: () => 0, redact: (text) => text }),
  };
}

const failure = {
  generation: 3,
  chain: "api",
  step: "auth",
  policy: "auth@1.0.0",
  phase: "request",
  code: "policy-failed",
  handled: "skip",
  cause: undefined,
  durationMs: 1,
} as const;

test("with no share, exactly the replies and the failures are written", () => {
  const { records, log } = logOf(0);
  for (const end of ["continued", "passed", "replied", "failed", "gone", "body-not-sent"] as const) log.ended(exchange(end));
  expect(records.map(({ outcome, sample }) => [outcome, sample])).toEqual([
    ["replied", undefined],
    ["refused", undefined],
    ["body-not-sent", undefined],
  ]);
});

test("a step that failed and was passed over makes its exchange one that is written, and no other", () => {
  const { records, log } = logOf(0);
  const [event, other] = [exchange("continued"), exchange("continued")];
  if (event.request === undefined) throw new Error("an exchange without a request");
  log.failed({ ...failure, request: event.request });
  log.ended(other);
  log.ended(event);
  log.ended(event);
  expect(records.map(({ id, failures }) => [id, failures.length])).toEqual([[event.id, 1]]);
});

test("a share of the rest is written, the same ones by whoever chooses, and it says so", () => {
  const [first, second] = [logOf(0.1), logOf(0.1)];
  const events = Array.from({ length: 5_000 }, () => exchange("continued"));
  for (const event of events) first.log.ended(event);
  for (const event of events.toReversed()) second.log.ended(event);
  const ids = ({ records }: typeof first): readonly string[] => records.map(({ id }) => id).toSorted();
  expect(ids(first)).toEqual(ids(second));
  // Six standard deviations around 500.
  expect(first.records.length).toBeGreaterThan(500 - 128);
  expect(first.records.length).toBeLessThan(500 + 128);
  expect(new Set(first.records.map(({ sample }) => sample))).toEqual(new Set([0.1]));
});

test("a header that is listed is cut, and an exchange that never asked anything is no decision", () => {
  const { records, log } = logOf(1);
  log.ended(exchange("continued"));
  log.ended({ ...exchange("gone"), request: undefined });
  expect(records.map(({ headers }) => headers)).toEqual([{ "x-note": `${"n".repeat(255)}…` }]);
});

test("whatever bytes a client sends as a header: one line, one record, and what was sent in it", async () => {
  const written = fc.constantFrom('"', "\\", "}\n{", "\r\n", "\u2028", "\0", "é", '","outcome":"passed","x":"', "[redacted]", "a");
  const value = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.array(written, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(""))),
  );
  await fc.assert(
    fc.asyncProperty(value, value, async (bytes, id) => {
      const lines: string[] = [];
      const processLog = createLog({ level: "info", redact: (text) => text, destination: { write: (line) => void lines.push(line) } });
      const sink = decisionSink({ kind: "stdout" }, processLog);
      const event = exchange("replied");
      if (event.request === undefined) throw new Error("an exchange without a request");
      const headers = new HeaderLines([
        { name: "x-note", value: Buffer.from(bytes) },
        { name: "x-request-id", value: Buffer.from(id) },
      ]);
      const settings = { sample: 1, headers: ["x-note"] };
      const log = createDecisionLog({ settings, sink, now: Date.now, redact: (text) => text });
      log.ended({ ...event, request: { ...event.request, headers } });
      await sink.close(10_000);
      expect(lines.map((line) => line.indexOf("\n") === line.length - 1)).toEqual([true]);
      const record: DecisionRecord = JSON.parse(lines.join(""));
      expect([record.id, record.outcome]).toEqual([event.id, "replied"]);
      const text = decodeText(bytes);
      expect(record.headers).toEqual({ "x-note": text.length > 255 ? `${text.slice(0, 255)}…` : text });
      expect(record.requestId?.length ?? 0).toBeLessThanOrEqual(128);
    }),
    { seed: 40, numRuns: 200 },
  );
});

test("a collector gets decisions as log records that hang at the exchange's span", async () => {
  const collector = await startOtlpCollector();
  try {
    const lines: string[] = [];
    const processLog = createLog({ level: "info", redact: (text) => text, destination: { write: (line) => void lines.push(line) } });
    const sink = decisionSink({ kind: "otlp", url: collector.origin }, processLog);
    const log = createDecisionLog({ settings: { sample: 1, headers: [] }, sink, now: Date.now, redact: (text) => text });
    const spans: Span[] = [];
    const event = exchange("failed");
    log.ended(event);
    createExchangeTraces({ write: (span) => spans.push(span) }).ended(event);
    await sink.close(10_000);
    expect([collector.faults, lines]).toEqual([[], []]);
    const [record] = collector.logRecords;
    expect(record).toMatchObject({ severityText: "ERROR", traceId, spanId: spans[0]?.spanId });
    expect(JSON.parse(record?.body.stringValue ?? "")).toMatchObject({ version: 1, id: event.id, code: "policy-failed", traceId });
    expect(record && attributesOf(record)).toMatchObject({ "policy_engine.chain": "api", "http.response.status_code": "500" });
  } finally {
    await collector.close();
  }
});

test("standard output has decisions as lines of their own beside the log's", async () => {
  const lines: string[] = [];
  const processLog = createLog({ level: "info", redact: (text) => text, destination: { write: (line) => void lines.push(line) } });
  const sink = decisionSink({ kind: "stdout" }, processLog);
  createDecisionLog({ settings: { sample: 1, headers: [] }, sink, now: Date.now, redact: (text) => text }).ended(exchange("passed"));
  await sink.close(10_000);
  expect(lines.map((line) => JSON.parse(line).outcome)).toEqual(["passed"]);
  expect(lines.every((line) => line.endsWith("\n"))).toBe(true);
});
