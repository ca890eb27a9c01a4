/** The generator against servers that misbehave on purpose: it must see a wrong answer, and a pause must not hide in it. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { portOf } from "../../scripts/processes/free-port.ts";
import { closedLoop, openLoop, quantile } from "./speed/load.ts";

const right = { bytes: Buffer.from("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"), answer: "\r\nx-saw: right\r\n" };

async function listen(handler: RequestListener): Promise<number> {
  const server = createServer(handler);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return portOf(server);
}

function answering(saw: string, status = 200): RequestListener {
  return (_, response) => {
    response.writeHead(status, { "x-saw": saw });
    response.end("body");
  };
}

test("right answers are counted, up to as many as are wanted", async () => {
  const port = await listen(answering("right"));
  const result = await closedLoop({ port, requests: [right], connections: 4 }, { forMs: 20_000, answersMax: 100 });
  expect(result).toMatchObject({ wrong: 0, faults: [] });
  expect(result.answers).toBeGreaterThanOrEqual(100);
  // Each connection may have had one more under way.
  expect(result.answers).toBeLessThan(104);
});

test.for([
  { what: "another header", handler: answering("left") },
  { what: "another status", handler: answering("right", 503) },
])("every wrong answer is counted, and some are told: $what", async ({ handler }) => {
  const port = await listen(handler);
  const result = await closedLoop({ port, requests: [right], connections: 2 }, { forMs: 20_000, answersMax: 20 });
  expect(result.wrong).toBe(result.answers);
  expect(result.faults).toHaveLength(5);
  expect(result.faults[0]).toContain("x-saw: right");
});

test("a connection that breaks is a wrong answer and ends the load on it", async () => {
  const port = await listen((request) => request.socket.destroy());
  const result = await closedLoop({ port, requests: [right], connections: 3 }, { forMs: 20_000 });
  expect(result).toMatchObject({ answers: 3, wrong: 3 });
});

test("at a fixed rate a pause shows in every request that was due in it, not only in those that were under way", async () => {
  const pauseMs = 400;
  const perSecond = 200;
  let paused = false;
  const waiting: (() => void)[] = [];
  const port = await listen((request, response) => {
    const answer = (): void => answering("right")(request, response);
    if (paused) waiting.push(answer);
    else answer();
  });
  const pause = setTimeout(() => {
    paused = true;
    setTimeout(() => {
      paused = false;
      for (const answer of waiting) answer();
    }, pauseMs);
  }, 200);
  onTestFinished(() => clearTimeout(pause));
  // Two connections: a generator that waits for answers would have two slow ones.
  const result = await openLoop({ port, requests: [right], connections: 2 }, perSecond, 1000);
  expect(result).toMatchObject({ answers: perSecond, wrong: 0 });
  const slow = result.latenciesMs.filter((latency) => latency > pauseMs / 4);
  expect(slow.length).toBeGreaterThan((perSecond * pauseMs * 0.5) / 1000);
  expect(quantile(result.latenciesMs, 1)).toBeGreaterThan(pauseMs * 0.8);
});

test("at a rate that is too much the end comes all the same, and what nobody had time for is counted with the time it has waited", async () => {
  const port = await listen((request, response) => void setTimeout(() => answering("right")(request, response), 50));
  const result = await openLoop({ port, requests: [right], connections: 1 }, 500, 400);
  expect(result.unsent + result.answers).toBe(200);
  expect(result.unsent).toBeGreaterThan(100);
  expect(result.latenciesMs).toHaveLength(200);
  expect(quantile(result.latenciesMs, 0)).toBeGreaterThan(0);
  expect(quantile(result.latenciesMs, 0.9)).toBeGreaterThan(1000);
});
