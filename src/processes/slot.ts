/** The place of one worker: a process is started in it, brought to the generation in use, watched, and started again when it ends. */
import type { ListenAddress } from "../config/addresses.ts";
import type { Log } from "../observe/log.ts";
import type { MetricFamily } from "../observe/metrics.ts";
import { retryDelayMs } from "../providers/pace.ts";
import { type Deadlines, lastWordsMs, restartDelayMsMax } from "./deadlines.ts";
import type { ForkWorker } from "./fork-worker.ts";
import { areFamilies, remains } from "./merge-metrics.ts";
import { type OrderedDocument, protocolVersion, type Question, type StartOrder } from "./protocol.ts";
import { areCounts, type GenerationCounts, noCounts } from "./sum-counts.ts";
import { talkToWorker, type Unanswered, type Vote, type WorkerTalk } from "./worker-talk.ts";

/**
 * `catching-up`: it takes the generation in use, and then listens. `up`: it serves by it, or there is none. `ending`: it drains, or is killed. `away`:
 * it waits to be started again.
 */
export type SlotState = "starting" | "catching-up" | "up" | "ending" | "away";

/** What every worker is to serve by. */
export interface Committed {
  readonly generation: number;
  readonly documents: readonly OrderedDocument[];
}

export interface SlotHost {
  readonly fork: ForkWorker;
  readonly order: Omit<StartOrder, "kind" | "index" | "protocol">;
  readonly log: Log;
  readonly deadlines: Deadlines;
  /** From the order to stop until the process is killed, milliseconds. */
  readonly graceMs: number;
  readonly startTimer: (milliseconds: number, expired: () => void) => () => void;
  readonly random: () => number;
  monotonicMs(): number;
  /** What its pulse is felt with. */
  readonly pulse: Question;
  committed(): Committed | undefined;
  nextTransaction(): number;
  /** A process has ended: what it had counted, as far as it has said. */
  retired(metrics: readonly MetricFamily[], counts: GenerationCounts): void;
  /** The state of the slot is another one. */
  changed(): void;
}

export interface SlotFacts {
  readonly worker: number;
  readonly state: SlotState;
  readonly pid: number | undefined;
  readonly generation: number | undefined;
  readonly listening: readonly ListenAddress[];
  /** Times that it was started again without anybody's order. */
  readonly restarts: number;
}

export interface Slot {
  facts(): SlotFacts;
  /** Starts it for the first time; rejects with the reason when it does not come to listen. */
  start(): Promise<void>;
  prepare(transaction: number, documents: readonly OrderedDocument[]): Promise<Vote | Unanswered>;
  /** False when it did not say so in time. */
  commit(transaction: number, generation: number): Promise<boolean>;
  drop(transaction: number): void;
  /** Kills the process, because of this; another one takes its place. */
  giveUp(why: string): void;
  /** Takes the generation in use, if it serves by another one. */
  follow(): void;
  /** Undefined when it does not answer in time. Default: `answerMs` of the deadlines. */
  ask(question: Question, timeoutMs?: number): Promise<unknown>;
  /** Asks for what it has counted. Resolves when it has answered, or does not. */
  refreshMetrics(): Promise<void>;
  /** What it has counted; of one that has not answered what it said last, as far as that only grows. */
  metrics(): readonly MetricFamily[];
  counts(): GenerationCounts;
  /** Drains the process and starts another one in its place. Resolves when that is up; rejects when it does not come up. */
  replace(): Promise<void>;
  /** Drains and ends it for good. Called again it ends it at once. */
  stop(): Promise<void>;
}

export function createSlot(index: number, host: SlotHost): Slot {
  const { log, deadlines, startTimer } = host;
  let talk: WorkerTalk | undefined;
  let killed: WorkerTalk | undefined;
  let state: SlotState = "away";
  let generation: number | undefined;
  let listening: readonly ListenAddress[] = [];
  let restarts = 0;
  let failures = 0;
  let upSinceMs: number | undefined;
  let lastMetrics: readonly MetricFamily[] = [];
  let lastCounts = noCounts;
  let end: "no" | "replaced" | "stopped" = "no";
  let cancelStart = (): void => {};

  const enter = (next: SlotState): void => {
    state = next;
    host.changed();
  };

  /** Resolves with why it does not listen, undefined when it does. */
  const launch = async (): Promise<string | undefined> => {
    end = "no";
    const mine: WorkerTalk = talkToWorker({
      fork: host.fork,
      startTimer,
      lines: log.beside,
      nonsense: () => giveUp(mine, "it says what this program does not understand"),
      ended: (metrics) => {
        if (talk === mine && areFamilies(metrics)) lastMetrics = metrics;
      },
    });
    talk = mine;
    enter("starting");
    void mine.exited.then((why) => ended(mine, why));
    const started = await mine.start({ kind: "start", protocol: protocolVersion, index, ...host.order }, deadlines.startMs);
    if (started === "late") return giveUp(mine, `it has not started after ${deadlines.startMs} ms`);
    if (typeof started === "string") return `it has ended: ${await mine.exited}`;
    if (started.kind === "failed") return started.message;
    if (started.protocol !== protocolVersion)
      return giveUp(mine, `it speaks version ${started.protocol}, and this program ${protocolVersion}`);
    feelPulse(mine);
    // Nobody reaches it before it serves by the generation in use: Envoy asks another one, at once.
    if (!(await catchUp(mine))) return "it does not take the generation in use";
    const answer = await mine.listen(deadlines.startMs);
    if (answer === "late") return giveUp(mine, `it does not listen after ${deadlines.startMs} ms`);
    if (typeof answer === "string") return `it has ended: ${await mine.exited}`;
    if (answer.kind === "failed") return answer.message;
    listening = answer.addresses;
    await follow(mine);
    return undefined;
  };

  /** Up, unless the generation in use has become another one meanwhile. */
  const follow = async (mine: WorkerTalk): Promise<void> => {
    if (!(await catchUp(mine)) || state !== "catching-up") return;
    upSinceMs ??= host.monotonicMs();
    enter("up");
  };

  /** False when it has come to nothing. */
  const catchUp = async (mine: WorkerTalk): Promise<boolean> => {
    if (talk !== mine || killed === mine || end !== "no") return false;
    enter("catching-up");
    for (let next = host.committed(); next !== undefined && next.generation !== generation; next = host.committed()) {
      const transaction = host.nextTransaction();
      const vote = await mine.prepare(transaction, next.documents, deadlines.prepareMs);
      if (typeof vote === "string" || vote.kind === "refused") {
        const why = typeof vote === "string" ? vote : vote.problems.map(({ code, message }) => `${code}: ${message}`).join("; ");
        giveUp(mine, `it cannot prepare the generation in use: ${why}`);
        return false;
      }
      const done = await mine.commit(transaction, next.generation, deadlines.commitMs);
      if (done !== "committed") {
        giveUp(mine, "it has not taken the generation in use");
        return false;
      }
      generation = next.generation;
    }
    return talk === mine;
  };

  const giveUp = (mine: WorkerTalk, why: string): string => {
    if (talk === mine && killed !== mine) {
      killed = mine;
      log.error({ worker: index, pid: mine.pid, why }, "a worker is killed");
      enter("ending");
    }
    mine.kill();
    return why;
  };

  const feelPulse = (mine: WorkerTalk): void => {
    startTimer(deadlines.pulseMs, () => {
      if (talk !== mine) return;
      void mine.ask(host.pulse, deadlines.hangMs).then((answer) => {
        if (answer === "late") giveUp(mine, `it has answered nothing for ${deadlines.hangMs} ms`);
        if (typeof answer === "object" && areCounts(answer.body)) lastCounts = answer.body;
        feelPulse(mine);
      });
    });
  };

  const ended = (mine: WorkerTalk, why: string): void => {
    if (talk !== mine) return;
    host.retired(remains(lastMetrics), lastCounts);
    [talk, generation, listening, lastMetrics, lastCounts] = [undefined, undefined, [], [], noCounts];
    const wasStable = upSinceMs !== undefined && host.monotonicMs() - upSinceMs >= deadlines.stableMs;
    upSinceMs = undefined;
    enter("away");
    if (end !== "no") return;
    if (wasStable) failures = 0;
    const delayMs = failures === 0 ? 0 : retryDelayMs(failures, restartDelayMsMax, host.random);
    failures += 1;
    restarts += 1;
    log.error({ worker: index, pid: mine.pid, why, restartInMs: Math.round(delayMs) }, "a worker has ended: another one takes its place");
    cancelStart = startTimer(delayMs, () => void launch().then(logFailure));
  };

  const isStopped = (): boolean => end === "stopped";

  const logFailure = (why: string | undefined): void => {
    if (why !== undefined) log.error({ worker: index, why }, "a worker cannot be started");
  };

  /** Resolves when the process is gone: it is killed when it takes longer than that. */
  const gone = async (mine: WorkerTalk, withinMs: number): Promise<void> => {
    const cancel = startTimer(withinMs, () => giveUp(mine, "it has not ended in time"));
    await mine.exited;
    cancel();
  };

  return {
    facts: () => ({ worker: index, state, pid: talk?.pid, generation, listening, restarts }),
    async start() {
      const why = await launch();
      if (why !== undefined) throw new Error(`worker ${index} cannot be started: ${why}`);
    },
    prepare: async (transaction, documents) => talk?.prepare(transaction, documents, deadlines.prepareMs) ?? "gone",
    async commit(transaction, next) {
      const mine = talk;
      if ((await mine?.commit(transaction, next, deadlines.commitMs)) !== "committed" || talk !== mine) return false;
      generation = next;
      return true;
    },
    drop: (transaction) => talk?.drop(transaction),
    giveUp: (why) => void (talk && giveUp(talk, why)),
    follow() {
      if (talk !== undefined && state === "up" && generation !== host.committed()?.generation) void follow(talk);
    },
    async ask(question, timeoutMs = deadlines.answerMs) {
      const answer = await talk?.ask(question, timeoutMs);
      return typeof answer === "object" ? answer.body : undefined;
    },
    async refreshMetrics() {
      const mine = talk;
      const answer = await mine?.ask({ kind: "metrics" }, deadlines.answerMs);
      if (talk !== mine) return;
      lastMetrics = typeof answer === "object" && areFamilies(answer.body) ? answer.body : remains(lastMetrics);
    },
    metrics: () => lastMetrics,
    counts: () => lastCounts,
    async replace() {
      const mine = talk;
      if (mine === undefined) return;
      end = "replaced";
      enter("ending");
      mine.stop();
      await gone(mine, host.graceMs + lastWordsMs);
      if (isStopped()) return;
      const why = await launch();
      if (why !== undefined || state !== "up") throw new Error(`worker ${index} has not come back: ${why ?? "see the log"}`);
    },
    async stop() {
      const mine = talk;
      const again = isStopped();
      end = "stopped";
      cancelStart();
      if (mine === undefined) return;
      enter("ending");
      if (again) mine.end();
      else mine.stop();
      await gone(mine, again ? lastWordsMs : host.graceMs + lastWordsMs);
    },
  };
}
