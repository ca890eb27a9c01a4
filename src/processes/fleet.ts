/** All workers: what they serve by is changed in all of them or in none. */
import type { Problem } from "../errors.ts";
import { createSuperseding } from "../generations/superseding.ts";
import type { MetricFamily } from "../observe/metrics.ts";
import { single } from "../observe/metrics.ts";
import { type Member, mergeMetrics, withoutChains } from "./merge-metrics.ts";
import type { Question } from "./protocol.ts";
import { type Committed, createSlot, type Slot, type SlotFacts, type SlotHost } from "./slot.ts";
import { type GenerationCounts, noCounts, sumCounts } from "./sum-counts.ts";

export interface Fleet {
  /** Starts every worker. Rejects with the reason of the first that does not come to listen. */
  start(): Promise<void>;
  /** One at a time; see `Transacted`. With a signal it may be given up, see `createSuperseding`. */
  transact(proposal: Proposal, superseded?: AbortSignal): Promise<Transacted>;
  committed(): Committed | undefined;
  workers(): readonly SlotFacts[];
  /** Of each worker that answers in time. */
  askAll(question: Question): Promise<readonly { readonly worker: number; readonly body: unknown }[]>;
  /** Of one that serves by the generation in use; undefined when none does, or does not answer in time. */
  askOne(question: Question, timeoutMs: number): Promise<unknown>;
  /** Of all workers, those that have ended included. */
  metrics(others: readonly Member[], isKnownChain: (chain: string) => boolean): Promise<readonly MetricFamily[]>;
  /** As of the last pulse. */
  counts(): GenerationCounts;
  /** Drains and replaces one worker after the other. Rejects when one does not come back; the rest are then left as they are. */
  replaceAll(): Promise<void>;
  /** Drains all of them. Called again it ends what is left. */
  stop(): Promise<void>;
}

export interface Proposal extends Committed {
  /** What everybody must come to. */
  readonly fingerprint: string;
}

export type Transacted =
  /** Everybody who was up serves by it, or is being replaced by somebody who will. */
  | { readonly kind: "committed"; readonly warnings: readonly Problem[] }
  /** Somebody has found problems: nobody serves by it. */
  | { readonly kind: "refused"; readonly problems: readonly Problem[] }
  /** Somebody has died, has taken too long or has read other secrets: nobody serves by it, and it may be tried again. */
  | { readonly kind: "failed"; readonly detail: string }
  /** Something newer has come before all had prepared it: nobody serves by it. */
  | { readonly kind: "superseded" };

export interface FleetHost extends Omit<SlotHost, "committed" | "nextTransaction" | "retired" | "changed"> {
  /** What Envoy needs to notice that a worker stops or starts, milliseconds. */
  readonly drainDelayMs: number;
}

export function createFleet(count: number, host: FleetHost): Fleet {
  let committed: Committed | undefined;
  let transactions = 0;
  let skewSeconds = 0;
  let retiredMetrics: readonly MetricFamily[] = [];
  let retiredCounts: GenerationCounts = noCounts;
  let stopping = false;
  /** Lost in the last transaction. */
  let lost: readonly Slot[] = [];
  const { unlessSuperseded } = createSuperseding(host.startTimer);
  const waiting = new Set<() => void>();

  const slots: readonly Slot[] = Array.from({ length: count }, (_, index) =>
    createSlot(index, {
      ...host,
      committed: () => committed,
      nextTransaction: () => ++transactions,
      retired(metrics, counts) {
        retiredMetrics = mergeMetrics([
          { name: "", families: retiredMetrics },
          { name: "", families: metrics },
        ]);
        retiredCounts = sumCounts([retiredCounts, counts]);
      },
      changed: () => {
        for (const look of waiting) look();
      },
    }),
  );
  const up = (): readonly Slot[] => slots.filter(isUp);

  /** Resolves when it holds, or after the time that a start may take. */
  const whenever = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        cancel();
        waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (holds()) done();
      };
      const cancel = host.startTimer(host.deadlines.startMs, done);
      waiting.add(look);
      look();
    });

  return {
    async start() {
      await Promise.all(slots.map((slot) => slot.start()));
    },

    async transact({ documents, fingerprint, generation }, superseded) {
      // Those that were just lost come back in a moment, and are to take part: what has killed one might kill it again.
      await whenever(() => up().length > 0 && lost.every(isUp));
      const members = up();
      if (members.length === 0) return { kind: "failed", detail: "no worker is there" };
      const transaction = ++transactions;
      const voting = Promise.all(members.map(async (slot) => ({ slot, vote: await slot.prepare(transaction, documents) })));
      const votes = await (superseded === undefined ? voting : unlessSuperseded(voting, superseded, () => {}));
      if (votes === "superseded") {
        for (const slot of members) slot.drop(transaction);
        return { kind: "superseded" };
      }
      lost = votes.filter(({ vote }) => typeof vote === "string").map(({ slot }) => slot);
      const failure = failureOf(votes, fingerprint);
      if (failure !== undefined) {
        for (const { slot, vote } of votes) {
          if (vote === "late") slot.giveUp(`it has not prepared a generation after ${host.deadlines.prepareMs} ms`);
          else if (typeof vote === "object") slot.drop(transaction);
        }
        return failure;
      }
      // From here on it is decided: whoever does not follow is replaced by somebody who starts from it.
      committed = { generation, documents };
      const startedMs = host.monotonicMs();
      await Promise.all(
        members.map(async (slot) => {
          if (!(await slot.commit(transaction, generation))) slot.giveUp("it has not taken a generation that it had prepared");
        }),
      );
      skewSeconds = (host.monotonicMs() - startedMs) / 1000;
      for (const slot of slots) slot.follow();
      const warnings = votes.flatMap(({ vote }) => (typeof vote === "object" && vote.kind === "prepared" ? [vote.warnings] : []));
      return { kind: "committed", warnings: warnings[0] ?? [] };
    },

    committed: () => committed,
    workers: () => slots.map((slot) => slot.facts()),
    async askAll(question) {
      const answers = await Promise.all(slots.map(async (slot) => ({ worker: slot.facts().worker, body: await slot.ask(question) })));
      return answers.filter(({ body }) => body !== undefined);
    },
    askOne: async (question, timeoutMs) => up()[0]?.ask(question, timeoutMs),
    async metrics(others, isKnownChain) {
      await Promise.all(slots.map((slot) => slot.refreshMetrics()));
      // Not before all have answered: one that has ended meanwhile would be counted twice.
      const members = slots.map((slot, index) => ({ name: String(index), families: slot.metrics() }));
      retiredMetrics = withoutChains(retiredMetrics, isKnownChain);
      return [...mergeMetrics([...members, ...others, { name: "", families: retiredMetrics }]), ...ownMetrics()];
    },
    counts: () => sumCounts([retiredCounts, ...slots.map((slot) => slot.counts())]),
    async replaceAll() {
      for (const slot of slots) {
        if (stopping) return;
        await slot.replace();
        // Envoy must have noticed that it is back before the next one goes, or it knows of nobody. It looks at least that often.
        await new Promise<void>((resolve) => void host.startTimer(host.drainDelayMs, resolve));
      }
    },
    async stop() {
      stopping = true;
      await Promise.all(slots.map((slot) => slot.stop()));
    },
  };

  function ownMetrics(): readonly MetricFamily[] {
    const facts = slots.map((slot) => slot.facts());
    const each = (value: (one: SlotFacts) => number) => facts.map((one) => ({ labels: { worker: String(one.worker) }, value: value(one) }));
    return [
      {
        name: "policy_engine_worker_up",
        help: "Whether a worker serves by the generation in use: 1 or 0.",
        type: "gauge",
        samples: each(({ state }) => (state === "up" ? 1 : 0)),
      },
      {
        name: "policy_engine_worker_generation",
        help: "Number of the generation that a worker serves by; 0 before there is one.",
        type: "gauge",
        samples: each(({ generation }) => generation ?? 0),
      },
      {
        name: "policy_engine_worker_restarts_total",
        help: "Times that a worker has ended by itself and was started again.",
        type: "counter",
        samples: each(({ restarts }) => restarts),
      },
      single(
        "policy_engine_commit_skew_seconds",
        "gauge",
        "How long workers served by different generations when the one in use was taken into use.",
        skewSeconds,
      ),
    ];
  }
}

function isUp(slot: Slot): boolean {
  return slot.facts().state === "up";
}

interface Voted {
  readonly slot: Slot;
  readonly vote: Awaited<ReturnType<Slot["prepare"]>>;
}

/** Undefined when all have prepared the same. */
function failureOf(votes: readonly Voted[], fingerprint: string): Extract<Transacted, { kind: "refused" | "failed" }> | undefined {
  const workers = (those: readonly Voted[]): string => those.map(({ slot }) => slot.facts().worker).join(", ");
  const lost = votes.filter(({ vote }) => typeof vote === "string");
  for (const { vote } of votes) if (typeof vote === "object" && vote.kind === "refused") return vote;
  if (lost.length > 0) return { kind: "failed", detail: `these workers have died or hung over it: ${workers(lost)}` };
  const differing = votes.filter(({ vote }) => typeof vote === "object" && vote.kind === "prepared" && vote.fingerprint !== fingerprint);
  if (differing.length === 0) return undefined;
  return { kind: "failed", detail: `these workers have read other secrets than the parent process: ${workers(differing)}` };
}
