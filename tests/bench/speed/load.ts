/** Load on one port: as much as it takes, or as much as is asked for. Every answer is looked at. */
import { type BenchRequest, type Connection, openConnection } from "./http1-connection.ts";

export interface LoadResult {
  readonly answers: number;
  readonly seconds: number;
  /** How many answers were wrong or missing, and the first of them in words. */
  readonly wrong: number;
  readonly faults: readonly string[];
}

export interface TimedResult extends LoadResult {
  /** From the moment a request was due, until its answer was whole; sorted, ms. One that was never sent has waited at least until the end. */
  readonly latenciesMs: Float64Array;
  /** How many requests found no idle connection until a second after the last was due: the rate is more than is answered. */
  readonly unsent: number;
  /** How late the generator itself was with the 99th of a hundred requests, ms: when it is late often, the machine is full. */
  readonly latenessP99Ms: number;
}

export interface Target {
  readonly port: number;
  /** Sent in turn, over and over. */
  readonly requests: readonly BenchRequest[];
  readonly connections: number;
}

const faultsMax = 5;
/** How long a request that was due may still wait when no more are. */
const patienceMs = 1_000;

/** What ends first. */
export interface Length {
  readonly forMs: number;
  /** Default: no limit. */
  readonly answersMax?: number;
}

/** Each connection sends its next request when its last one is answered. One that breaks is not replaced: it has made a wrong answer. */
export async function closedLoop(
  { port, requests, connections }: Target,
  { forMs, answersMax = Number.POSITIVE_INFINITY }: Length,
): Promise<LoadResult> {
  const pool = await openAll(port, connections);
  const tally = newTally();
  const next = inTurn(requests);
  const started = performance.now();
  const until = started + forMs;
  await Promise.all(
    pool.map(
      (connection) =>
        new Promise<void>((resolve) => {
          const goOn = (fault: string | undefined): void => {
            count(tally, fault);
            if (performance.now() >= until || tally.answers >= answersMax || !connection.usable()) resolve();
            else connection.send(next(), goOn);
          };
          connection.send(next(), goOn);
        }),
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  for (const connection of pool) connection.close();
  return { ...tally, seconds };
}

/**
 * Requests are due at a fixed rate whatever became of those before: one that finds every connection busy waits, and its wait counts. So a pause of
 * a processor shows in every request that fell into it. When a timer of the generator is late, the requests it releases are due at that moment: its own
 * lateness, which is the same for everybody, is told apart.
 */
export async function openLoop({ port, requests, connections }: Target, perSecond: number, forMs: number): Promise<TimedResult> {
  const total = Math.round((perSecond * forMs) / 1000);
  const idle: Connection[] = await openAll(port, connections);
  const all = [...idle];
  const tally = newTally();
  const next = inTurn(requests);
  const latenciesMs = new Float64Array(total);
  const latenesses = new Float64Array(total);
  const waiting: number[] = [];
  let unsent = 0;
  let settled = 0;
  const started = performance.now();
  await new Promise<void>((resolve) => {
    let released = 0;
    const settle = (dueAt: number): void => {
      latenciesMs[settled] = performance.now() - dueAt;
      settled += 1;
      if (settled === total) resolve();
    };
    const sendOn = (connection: Connection, dueAt: number): void => {
      connection.send(next(), (fault) => {
        count(tally, fault);
        settle(dueAt);
        const waited = waiting.shift();
        if (waited === undefined) idle.push(connection);
        else sendOn(connection, waited);
      });
    };
    const tick = (): void => {
      const now = performance.now();
      for (; released < total && started + (released * 1000) / perSecond <= now; released += 1) {
        latenesses[released] = now - started - (released * 1000) / perSecond;
        const connection = idle.pop();
        if (connection === undefined) waiting.push(now);
        else sendOn(connection, now);
      }
      if (released < total) setTimeout(tick, 1);
      else setTimeout(giveUp, patienceMs);
    };
    const giveUp = (): void => {
      unsent = waiting.length;
      for (const dueAt of waiting.splice(0)) settle(dueAt);
    };
    tick();
  });
  const seconds = (performance.now() - started) / 1000;
  for (const connection of all) connection.close();
  return { ...tally, seconds, unsent, latenciesMs: latenciesMs.sort(), latenessP99Ms: quantile(latenesses.sort(), 0.99) };
}

/** Of sorted values; NaN of none. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

interface Tally {
  answers: number;
  wrong: number;
  readonly faults: string[];
}

function newTally(): Tally {
  return { answers: 0, wrong: 0, faults: [] };
}

function count(tally: Tally, fault: string | undefined): void {
  tally.answers += 1;
  if (fault === undefined) return;
  tally.wrong += 1;
  if (tally.faults.length < faultsMax) tally.faults.push(fault);
}

function openAll(port: number, connections: number): Promise<Connection[]> {
  return Promise.all(Array.from({ length: connections }, () => openConnection(port)));
}

function inTurn(requests: readonly BenchRequest[]): () => BenchRequest {
  let turn = 0;
  return () => {
    const request = requests[turn++ % requests.length];
    if (request === undefined) throw new RangeError("there is nothing to send");
    return request;
  };
}
