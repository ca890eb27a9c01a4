/** One phase: load on one contender, and what it took of the processors. */
import { cpuMs } from "./cpu-time.ts";
import { closedLoop, type Length, type LoadResult, openLoop, quantile } from "./load.ts";
import type { BenchStage, Place } from "./stage.ts";

export interface Phase {
  readonly contender: string;
  readonly answers: number;
  readonly wrong: number;
  readonly faults: readonly string[];
  readonly perSecond: number;
  /** Processor time of who was asked, microseconds for each exchange; 0 where nobody was. */
  readonly cpuUs: number;
  /** The same of Envoy. */
  readonly envoyUs: number;
  /** Only at a fixed rate. */
  readonly latency: Latency | undefined;
}

export interface Latency {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** The share of requests that nobody had time for. */
  readonly unsentShare: number;
  /** The generator's own. */
  readonly latenessP99Ms: number;
}

/** Closed loop: how many connections each have one request under way. */
const closedConnections = 32;
/** Open loop: how many requests may be under way at once before one waits, and the wait counts. */
const openConnections = 200;

export function measureClosed(stage: BenchStage, place: Place, length: Length): Promise<Phase> {
  return measure(
    stage,
    place,
    () => closedLoop({ ...place, connections: closedConnections }, length),
    () => undefined,
  );
}

export function measureOpen(stage: BenchStage, place: Place, perSecond: number, forMs: number): Promise<Phase> {
  return measure(
    stage,
    place,
    () => openLoop({ ...place, connections: openConnections }, perSecond, forMs),
    ({ latenciesMs, latenessP99Ms, unsent }) => ({
      unsentShare: unsent / latenciesMs.length,
      p50Ms: quantile(latenciesMs, 0.5),
      p95Ms: quantile(latenciesMs, 0.95),
      p99Ms: quantile(latenciesMs, 0.99),
      latenessP99Ms,
    }),
  );
}

async function measure<Result extends LoadResult>(
  { envoyPid }: BenchStage,
  { contender, running }: Place,
  load: () => Promise<Result>,
  latencyOf: (result: Result) => Latency | undefined,
): Promise<Phase> {
  const read = () => ({ own: running === undefined ? 0 : cpuMs(running.pid), envoy: cpuMs(envoyPid) });
  const before = read();
  const result = await load();
  const after = read();
  const { answers, wrong, faults, seconds } = result;
  return {
    contender: contender.name,
    answers,
    wrong,
    faults,
    perSecond: answers / seconds,
    cpuUs: ((after.own - before.own) * 1000) / answers,
    envoyUs: ((after.envoy - before.envoy) * 1000) / answers,
    latency: latencyOf(result),
  };
}
