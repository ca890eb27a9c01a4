/**
 * Refuses new exchanges while the event loop is far behind, so that those that are open are answered in time and Envoy's own timeouts are not
 * what clients see. A timer that is due measures how far: by itself when it runs late, and for an exchange that comes before it can run.
 *
 * - It begins when an exchange finds the timer overdue by more than the bound, or when the timer itself is that late twice in a row: being
 *   late once may be a configuration that was prepared.
 * - It ends when the timer has been late by no more than half the bound three times in a row.
 */
import type { Log } from "../observe/log.ts";
import { type MetricFamily, single } from "../observe/metrics.ts";

export interface OverloadGuard {
  /** Whether the exchange that asks is to be refused. Costs a look at the clock. */
  refuses(): boolean;
  families(): readonly MetricFamily[];
  stop(): void;
}

export interface OverloadGuardHost {
  /** How far the event loop may be behind, milliseconds. */
  readonly loopDelayMs: number;
  readonly log: Log;
  /** Milliseconds from an arbitrary start, never going back. */
  monotonicMs(): number;
  startTimer(milliseconds: number, expired: () => void): () => void;
}

const tickMs = 100;
const lateTicksToBegin = 2;
const calmTicksToEnd = 3;

export function createOverloadGuard({ loopDelayMs, log, monotonicMs, startTimer }: OverloadGuardHost): OverloadGuard {
  let dueMs = monotonicMs() + tickMs;
  let lateTicks = 0;
  let calmTicks = 0;
  /** Undefined when nothing is refused. */
  let episode: { readonly sinceMs: number; refused: number } | undefined;
  let episodes = 0;
  let stopTimer = startTimer(tickMs, tick);

  return {
    refuses() {
      const behindMs = monotonicMs() - dueMs;
      if (behindMs > loopDelayMs) begin(behindMs);
      if (episode === undefined) return false;
      episode.refused += 1;
      return true;
    },
    families: () => [
      single(
        "policy_engine_overloaded",
        "gauge",
        "Whether new exchanges are refused because the event loop is behind: 1 or 0.",
        episode ? 1 : 0,
      ),
      single("policy_engine_overloads_total", "counter", "How often it has begun to refuse exchanges for that.", episodes),
    ],
    stop: () => stopTimer(),
  };

  function tick(): void {
    const nowMs = monotonicMs();
    const behindMs = nowMs - dueMs;
    lateTicks = behindMs > loopDelayMs ? lateTicks + 1 : 0;
    calmTicks = behindMs <= loopDelayMs / 2 ? calmTicks + 1 : 0;
    if (lateTicks >= lateTicksToBegin) begin(behindMs);
    if (calmTicks >= calmTicksToEnd) end(nowMs);
    dueMs = nowMs + tickMs;
    stopTimer = startTimer(tickMs, tick);
  }

  function begin(behindMs: number): void {
    calmTicks = 0;
    if (episode !== undefined) return;
    episodes += 1;
    episode = { sinceMs: monotonicMs(), refused: 0 };
    log.error({ behindMs: Math.round(behindMs), loopDelayMs, code: "overloaded" }, "the event loop is behind: new exchanges are refused");
  }

  function end(nowMs: number): void {
    if (episode === undefined) return;
    log.warn(
      { refused: episode.refused, lastedMs: Math.round(nowMs - episode.sinceMs) },
      "the event loop keeps up: exchanges are taken again",
    );
    episode = undefined;
  }
}
