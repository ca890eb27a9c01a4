import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { outgoingFetch } from "../../src/engine/outgoing-fetch.ts";
import { createOtlpExporter } from "../../src/observe/otlp-exporter.ts";
import { eventually } from "../files/recorder.ts";
import { type Listening, listen } from "../support/listen.ts";

type Answer = (response: ServerResponse, nth: number) => void;

const listening: Listening[] = [];
afterEach(async () => {
  for (const one of listening.splice(0)) await one.close();
});

/** A real server that keeps what it was sent and answers as the test says, and an exporter of numbers to it. */
async function started(answer: Answer, waitingMax = 2_000) {
  const received: number[][] = [];
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    received.push(JSON.parse(await text(request)));
    answer(response, received.length);
  });
  const collector = await listen(server);
  listening.push(collector);
  const told: unknown[] = [];
  const exporter = createOtlpExporter<number>({
    encode: (items) => JSON.stringify(items),
    post: async (body, signal) => {
      const response = await outgoingFetch(collector.origin, { method: "POST", body, signal });
      return { status: response.status, body: await response.text() };
    },
    failed: (error) => told.push(error),
    waitingMax,
    delayMs: 20,
  });
  return { exporter, received, told, collector };
}

const taken: Answer = (response) => response.end("{}");
const counted = (first: number, count: number): number[] => Array.from({ length: count }, (_, nth) => first + nth);

test("records are collected and sent in order, none twice", async () => {
  const { exporter, received, told } = await started(taken);
  for (const nth of counted(0, 1_200)) exporter.write(nth);
  await eventually("all are sent", () => exporter.counts().written === 1_200);
  exporter.write(1_200);
  await exporter.close(10_000);
  expect(received.flat()).toEqual(counted(0, 1_201));
  expect(Math.max(...received.map(({ length }) => length))).toBe(512);
  expect([exporter.counts(), told]).toEqual([{ written: 1_201, dropped: 0, waiting: 0 }, []]);
});

test("a collector that asks for patience gets the same batch again", async () => {
  const { exporter, received, told } = await started((response, nth) => response.writeHead(nth === 1 ? 503 : 200).end());
  exporter.write(7);
  await eventually("it is sent", () => exporter.counts().written === 1);
  expect([received, told.length]).toEqual([[[7], [7]], 1]);
  await exporter.close(10_000);
});

test("what a collector refuses, whole or in part, is dropped and counted", async () => {
  const { exporter, received, told } = await started((response, nth) =>
    nth === 1 ? response.writeHead(400).end() : response.end('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no"}}'),
  );
  exporter.write(1);
  await eventually("it is refused", () => exporter.counts().dropped === 1);
  for (const nth of [2, 3, 4]) exporter.write(nth);
  await eventually("the rest is sent", () => exporter.counts().written === 1);
  expect([received, told.length, exporter.counts()]).toEqual([[[1], [2, 3, 4]], 1, { written: 1, dropped: 3, waiting: 0 }]);
  await exporter.close(10_000);
});

test("a collector that takes and never answers costs what may wait, and the end is bounded", async () => {
  const { exporter, received } = await started(() => {}, 600);
  for (const nth of counted(0, 5_000)) exporter.write(nth);
  await eventually("a batch is under way", () => received.length === 1);
  for (const nth of counted(0, 5_000)) exporter.write(nth);
  expect(exporter.counts()).toEqual({ written: 0, dropped: 9_400, waiting: 600 });
  const began = performance.now();
  await exporter.close(50);
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(exporter.counts()).toEqual({ written: 0, dropped: 10_000, waiting: 0 });
});

test("no collector at all is told once, and what was written last is tried once more at the end", async () => {
  const { exporter, told, collector } = await started(taken);
  await collector.close();
  exporter.write(1);
  await eventually("the failure", () => told.length === 1);
  await exporter.close(10_000);
  expect([told.length, exporter.counts()]).toEqual([1, { written: 0, dropped: 1, waiting: 0 }]);
});
