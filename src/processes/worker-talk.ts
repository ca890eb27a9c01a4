/** Orders to one worker process that are answered, each within its time or not at all. */
import type { ListenAddress } from "../config/addresses.ts";
import type { Problem } from "../errors.ts";
import type { ForkWorker, WorkerProcess } from "./fork-worker.ts";
import type { OrderedDocument, Question, Report, StartOrder } from "./protocol.ts";

export interface WorkerTalk {
  readonly pid: number | undefined;
  readonly exited: WorkerProcess["exited"];
  kill(): void;
  start(order: StartOrder, timeoutMs: number): Promise<Started | Unanswered>;
  listen(timeoutMs: number): Promise<Listening | Unanswered>;
  prepare(transaction: number, documents: readonly OrderedDocument[], timeoutMs: number): Promise<Vote | Unanswered>;
  commit(transaction: number, generation: number, timeoutMs: number): Promise<"committed" | Unanswered>;
  /** Whoever waits for its vote waits no longer. */
  drop(transaction: number): void;
  /** What it answers is not looked at here. */
  ask(about: Question, timeoutMs: number): Promise<{ readonly body: unknown } | Unanswered>;
  stop(): void;
  end(): void;
}

/** `late`: it may still come, and nobody listens any more. `gone`: the process has ended. `dropped`: nobody wants to know it any more. */
export type Unanswered = "late" | "gone" | "dropped";

export interface Failed {
  readonly kind: "failed";
  readonly message: string;
}

export type Started = { readonly kind: "started"; readonly protocol: number; readonly version: string } | Failed;

export type Listening = { readonly kind: "listening"; readonly addresses: readonly ListenAddress[] } | Failed;

export type Vote =
  | { readonly kind: "prepared"; readonly fingerprint: string; readonly warnings: readonly Problem[] }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

export interface TalkHost {
  readonly fork: ForkWorker;
  readonly startTimer: (milliseconds: number, expired: () => void) => () => void;
  /** Whole lines of its log. */
  lines(text: string): void;
  /** It has said something that is no report. */
  nonsense(): void;
  /** What it has counted, when it ends in order. */
  ended(metrics: unknown): void;
}

export function talkToWorker({ fork, startTimer, ...host }: TalkHost): WorkerTalk {
  /** Who waits for what: by what the report will be about. */
  const waiting = new Map<string, (report: Report | Unanswered) => void>();
  let questions = 0;

  const settle = (about: string, report: Report): void => waiting.get(about)?.(report);
  const process = fork({
    lines: host.lines,
    nonsense: host.nonsense,
    report(report) {
      switch (report.kind) {
        case "started":
          return settle("start", report);
        case "listening":
          return settle("listen", report);
        case "failed":
          settle("start", report);
          return settle("listen", report);
        case "prepared":
        case "refused":
          return settle(`prepare ${report.transaction}`, report);
        case "committed":
          return settle(`commit ${report.transaction}`, report);
        case "answer":
          return settle(`answer ${report.question}`, report);
        case "ended":
          return host.ended(report.metrics);
        default:
          return report satisfies never;
      }
    },
  });
  let gone = false;
  void process.exited.then(() => {
    gone = true;
    for (const settleOne of [...waiting.values()]) settleOne("gone");
  });

  const answered = (about: string, timeoutMs: number): Promise<Report | Unanswered> => {
    if (gone) return Promise.resolve("gone");
    return new Promise((resolve) => {
      const cancel = startTimer(timeoutMs, () => {
        waiting.delete(about);
        resolve("late");
      });
      waiting.set(about, (report) => {
        cancel();
        waiting.delete(about);
        resolve(report);
      });
    });
  };

  return {
    pid: process.pid,
    exited: process.exited,
    kill: process.kill,
    async start(order, timeoutMs) {
      process.send(order);
      const report = await answered("start", timeoutMs);
      return typeof report === "string" || report.kind === "started" || report.kind === "failed" ? report : misled(report);
    },
    async listen(timeoutMs) {
      process.send({ kind: "listen" });
      const report = await answered("listen", timeoutMs);
      return typeof report === "string" || report.kind === "listening" || report.kind === "failed" ? report : misled(report);
    },
    async prepare(transaction, documents, timeoutMs) {
      process.send({ kind: "prepare", transaction, documents });
      const report = await answered(`prepare ${transaction}`, timeoutMs);
      return typeof report === "string" || report.kind === "prepared" || report.kind === "refused" ? report : misled(report);
    },
    async commit(transaction, generation, timeoutMs) {
      process.send({ kind: "commit", transaction, generation });
      const report = await answered(`commit ${transaction}`, timeoutMs);
      return typeof report === "string" ? report : "committed";
    },
    drop(transaction) {
      process.send({ kind: "drop", transaction });
      waiting.get(`prepare ${transaction}`)?.("dropped");
    },
    async ask(about, timeoutMs) {
      const question = ++questions;
      process.send({ kind: "ask", question, about });
      const report = await answered(`answer ${question}`, timeoutMs);
      return typeof report === "string" || report.kind === "answer" ? report : misled(report);
    },
    stop: () => process.send({ kind: "stop" }),
    end: () => process.send({ kind: "end" }),
  };
}

function misled({ kind }: Report): never {
  throw new Error(`a report \`${kind}\` was taken for the answer to something else`);
}
