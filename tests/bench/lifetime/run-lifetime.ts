/**
 * Many exchanges through one Envoy and one engine, every answer looked at: so many open at once, so many one after another, and so many open at
 * once again. What is then left of them, in Envoy's counters and in the engine, must be nothing.
 */
import { waitFor } from "../../../scripts/processes/wait-for.ts";
import { readMetrics } from "../../support/admin.ts";
import { type LiveMemory, readLiveMemory } from "../live-memory.ts";
import { type Count, finalCounts, openCounts } from "./counts.ts";
import type { Call, FivePolicies } from "./five-policies.ts";
import { type LifetimeSetting, type LifetimeStage, startLifetimeStage } from "./lifetime-stage.ts";
import { manyAtOnce } from "./many-at-once.ts";
import { oneAfterAnother } from "./one-after-another.ts";
import { newTally, type Tally } from "./tally.ts";

export interface LifetimePlan extends LifetimeSetting {
  /** How many exchanges one after another. */
  readonly sequential: number;
  /** On how many connections: each has one exchange at a time. */
  readonly connections: number;
  /** How many exchanges are open at once, at the start and at the end. */
  readonly concurrent: number;
  /** Told every 10 s how far it is. */
  readonly progress: (text: string) => void;
}

export interface LifetimeReport {
  readonly parts: readonly Part[];
  readonly counts: readonly Count[];
  /** After a quarter of the exchanges one after another, and at the very end. */
  readonly memory: { readonly atQuarter: LiveMemory; readonly atEnd: LiveMemory };
}

export interface Part {
  readonly name: string;
  readonly seconds: number;
  readonly tally: Tally;
}

const answerDelayMs = 2;
const progressMs = 10_000;

/** Rejects when something does not start. */
export async function runLifetime({ sequential, connections, concurrent, progress, ...setting }: LifetimePlan): Promise<LifetimeReport> {
  const stage = await startLifetimeStage(setting, answerDelayMs);
  try {
    const calls = endlessCalls(stage.five);
    const parts: Part[] = [];
    const counts: Count[] = [];
    const play = async (name: string, count: number, work: (tally: Tally) => Promise<void>): Promise<void> => {
      const tally = newTally();
      const started = performance.now();
      const timer = setInterval(() => progress(`${name}: ${tally.answers} of ${count} answers, ${tally.wrong} wrong`), progressMs);
      await work(tally).finally(() => clearInterval(timer));
      parts.push({ name, seconds: (performance.now() - started) / 1000, tally });
    };
    const one = (count: number): Promise<void> =>
      play("one after another", count, (tally) => oneAfterAnother(stage.envoy.port, take(calls, count), connections, tally));
    const many = (): Promise<void> =>
      play("many at once", concurrent, (tally) => {
        const open = [...take(calls, concurrent, ({ reachesUpstream }) => reachesUpstream)];
        return manyAtOnce(stage, open, tally, async () => void counts.push(...(await openCounts(stage, concurrent))));
      });

    const quarter = Math.floor(sequential / 4);
    await many();
    await one(quarter);
    const atQuarter = await restingMemory(stage);
    await one(sequential - quarter);
    await many();
    const atEnd = await restingMemory(stage);
    const [all, reaching] = [sum(parts, "answers"), sum(parts, "reaching")];
    counts.push(...(await finalCounts(stage, { all, reaching, reset: setting.gracefulClose === "on" ? 0 : all })));
    return { parts, counts, memory: { atQuarter, atEnd } };
  } finally {
    await stage.close();
  }
}

/** The first calls that are wanted of those that are left. */
function* take(calls: Iterator<Call, never>, count: number, wanted: (call: Call) => boolean = () => true): Generator<Call> {
  for (let taken = 0; taken < count; ) {
    const call = calls.next().value;
    if (!wanted(call)) continue;
    taken += 1;
    yield call;
  }
}

function* endlessCalls({ call }: FivePolicies): Generator<Call, never> {
  for (let number = 0; ; number += 1) yield call(number);
}

/** When the last stream has ended; how many are left is counted later. */
async function restingMemory({ engine, inspector }: LifetimeStage): Promise<LiveMemory> {
  const open = async (): Promise<true | undefined> =>
    (await readMetrics(engine))("policy_engine_exchanges_open") === 0 ? true : undefined;
  await waitFor({ what: "the last stream to end", timeoutMs: 10_000 }, open).catch(() => {});
  return readLiveMemory(inspector);
}

const sum = (parts: readonly Part[], of: "answers" | "reaching"): number => parts.reduce((total, { tally }) => total + tally[of], 0);
