/**
 * One exchange on its way through one chain: a single loop for both directions over the flat list of steps.
 *
 * This is the only place that calls a policy's handlers, the only try/catch around them, the only place that decides on failure modes and
 * deadlines, and the only place where a reply ends the request side. It stays synchronous until a step returns a promise.
 */
import type { Outcome } from "@envoy-policy-engine/sdk";
import type { FailureCode } from "../errors.ts";
import type { StepCounters, StepOutcome, StepPhase } from "../observe/step-counters.ts";
import type { BoundStep, Chain } from "./chain.ts";
import type { HeaderChanges } from "./header-store.ts";
import { Journal } from "./journal.ts";
import { RequestView, ResponseView } from "./message-view.ts";
import { MetadataStore } from "./metadata-store.ts";
import type { ReceivedRequest, ReceivedResponse } from "./received.ts";
import { acceptReply, engineReply, type FinalReply, finalReply, isGrpc, type PendingReply, replyHeaders } from "./reply.ts";
import { type SharedViews, StepExchange } from "./step-exchange.ts";
import { ExchangeVariables, type VariableSources } from "./variables.ts";

/** What a run needs from outside; the same for every exchange. */
export interface RunHost {
  /** Milliseconds from an arbitrary start, never going back. */
  monotonicMs(): number;
  /** Calls back once after at least this time; returns what cancels it. */
  startTimer(milliseconds: number, expired: () => void): () => void;
  readonly counters: StepCounters;
  /** A step failed. The cause is for the log under the exchange's id. */
  failed(failure: StepFailure): void;
}

export interface StepFailure {
  readonly id: string;
  readonly chain: string;
  readonly step: string;
  readonly policy: string;
  readonly phase: StepPhase;
  readonly code: FailureCode;
  readonly skipped: boolean;
  readonly cause: unknown;
}

/** What became of one direction. `gone`: the client left while a step was running, nobody is waiting for an answer. */
export type RunOutcome =
  | { readonly kind: "continue"; readonly changes: HeaderChanges }
  | { readonly kind: "reply"; readonly reply: FinalReply }
  | { readonly kind: "gone" };

type Progress = "unreached" | "passed" | "skipped" | "failed" | "replied";

/** One walk of the loop. A reply turns a request pass into a response pass in place. */
interface Pass {
  phase: StepPhase;
  cursor: number;
  /** When the message must have been answered, on the monotonic clock. */
  readonly deadlineMs: number;
}

/** One call of a handler, from its start to its settlement. */
export interface Call {
  readonly step: BoundStep;
  readonly index: number;
  readonly phase: StepPhase;
  readonly startedMs: number;
  /** Where the journal stood before the step. */
  readonly mark: number;
}

export class ExchangeRun implements SharedViews, VariableSources {
  readonly received: ReceivedRequest;
  readonly request: RequestView;
  readonly metadata: MetadataStore;
  readonly variables: ExchangeVariables;
  response: ResponseView | undefined;
  protected readonly journal = new Journal();
  readonly #chain: Chain;
  readonly #host: RunHost;
  readonly #progress: Progress[];
  readonly #exchanges: (StepExchange | undefined)[] = [];
  #reply: PendingReply | undefined;
  #gone = false;

  constructor(chain: Chain, received: ReceivedRequest, host: RunHost) {
    this.#chain = chain;
    this.#host = host;
    this.received = received;
    this.request = new RequestView(received, this.journal);
    this.metadata = new MetadataStore(this.journal);
    this.variables = new ExchangeVariables(this);
    this.#progress = chain.steps.map(() => "unreached");
  }

  get chain(): string {
    return this.#chain.name;
  }

  /**
   * Runs the request side. A reply has already passed the response handlers of the steps before it.
   *
   * @param budgetMs what is left until the message must be answered, milliseconds
   */
  runRequest(budgetMs: number): RunOutcome | Promise<RunOutcome> {
    return this.#walk({ phase: "request", cursor: 0, deadlineMs: this.#host.monotonicMs() + budgetMs });
  }

  /** Runs the response side on the upstream's response, from the last step to the first. */
  runResponse(received: ReceivedResponse, budgetMs: number): RunOutcome | Promise<RunOutcome> {
    this.response = new ResponseView(received, "upstream", this.journal);
    return this.#walk({ phase: "response", cursor: this.#chain.steps.length - 1, deadlineMs: this.#host.monotonicMs() + budgetMs });
  }

  /** Whether a response handler can still run: if not, nothing is asked of Envoy for the response. */
  wantsResponse(): boolean {
    if (!this.#chain.hasResponse || this.#reply !== undefined) return false;
    return this.#chain.steps.some((step, index) => step.response !== undefined && this.#mayRespond(step, index));
  }

  /** The client has left. Signals fire; a running handler is awaited up to its deadline, then nothing more runs. */
  abort(): void {
    this.#gone = true;
    for (const exchange of this.#exchanges) exchange?.abort();
  }

  /** The exchange is over: every step's view is revoked. Call it when no pass is under way. */
  close(): void {
    for (const exchange of this.#exchanges) {
      exchange?.revoke();
      exchange?.abort();
    }
  }

  /** Hears of every condition and handler that has come to an end. */
  protected settled(call: Call, outcome: StepOutcome, _reply?: PendingReply): void {
    this.#host.counters.count(call.step.counter, call.phase, outcome);
    if (outcome !== "skipped") this.#host.counters.observe(call.step.counter, call.phase, this.#host.monotonicMs() - call.startedMs);
  }

  #walk(pass: Pass): RunOutcome | Promise<RunOutcome> {
    const pending = this.#advance(pass);
    return pending === undefined ? this.#outcome() : pending.then(() => this.#outcome());
  }

  #advance(pass: Pass): Promise<void> | undefined {
    while (!this.#gone) {
      const step = this.#chain.steps[pass.cursor];
      if (step === undefined) return undefined;
      const pending = this.#visit(step, pass.cursor, pass);
      if (pending !== undefined) return pending.then(() => this.#advance(pass));
    }
    return undefined;
  }

  #visit(step: BoundStep, index: number, pass: Pass): Promise<void> | undefined {
    const call = { step, index, phase: pass.phase, startedMs: this.#host.monotonicMs(), mark: this.journal.mark() };
    if (pass.phase === "request") {
      if (step.whenReadsResponse) return void pass.cursor++;
      if (!this.#holds(call, pass)) return undefined;
      if (step.request === undefined) {
        this.#progress[index] = "passed";
        return void pass.cursor++;
      }
      return this.#call(call, pass, step.request);
    }
    if (step.response === undefined || !this.#mayRespond(step, index)) return void pass.cursor--;
    if (step.whenReadsResponse && !this.#holds(call, pass)) return undefined;
    return this.#call(call, pass, step.response);
  }

  /** A step takes part in the response if it was passed on the request, or is decided only now. */
  #mayRespond(step: BoundStep, index: number): boolean {
    const progress = this.#progress[index];
    return progress === "passed" || (step.whenReadsResponse && progress === "unreached");
  }

  /** Decides the step's condition. False when the loop must not call the handler: the pass has then been moved on. */
  #holds(call: Call, pass: Pass): boolean {
    const { when } = call.step;
    if (when === undefined) return true;
    try {
      if (when.run(this.variables)) return true;
    } catch (cause) {
      this.#fail(call, pass, "condition-failed", cause);
      return false;
    }
    this.#progress[call.index] = "skipped";
    this.settled(call, "skipped");
    move(pass);
    return false;
  }

  #call(call: Call, pass: Pass, handler: (exchange: StepExchange) => Outcome): Promise<void> | undefined {
    const leftMs = Math.min(call.step.timeoutMs, pass.deadlineMs - call.startedMs);
    if (leftMs <= 0) return void this.#fail(call, pass, "policy-timeout", new Error("the message budget was used up by earlier steps"));
    const exchange = this.#exchange(call);
    let result: Outcome;
    let later: boolean;
    try {
      result = handler(exchange);
      later = isPromise(result);
    } catch (cause) {
      return void this.#fail(call, pass, "policy-failed", cause);
    }
    if (later) return this.#settleLater(call, pass, exchange, awaited(result), leftMs);
    if (this.#host.monotonicMs() - call.startedMs > leftMs) this.#host.counters.count(call.step.counter, call.phase, "overrun");
    return void this.#settle(call, pass, result);
  }

  #exchange(call: Call): StepExchange {
    let exchange = this.#exchanges[call.index];
    if (exchange === undefined) {
      exchange = new StepExchange(this, call.step.rights);
      this.#exchanges[call.index] = exchange;
    }
    exchange.begin(call.phase);
    return exchange;
  }

  #settleLater(call: Call, pass: Pass, exchange: StepExchange, result: Promise<unknown>, leftMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let open = true;
      const settle = (how: () => void): void => {
        if (!open) return;
        open = false;
        cancel();
        try {
          how();
          resolve();
        } catch (cause) {
          reject(cause);
        }
      };
      const cancel = this.#host.startTimer(leftMs, () =>
        settle(() => {
          exchange.abort();
          this.#fail(call, pass, "policy-timeout", new Error(`no answer after ${Math.round(leftMs)} ms`));
        }),
      );
      result.then(
        (value) => settle(() => this.#settle(call, pass, value)),
        (cause: unknown) => settle(() => this.#fail(call, pass, "policy-failed", cause)),
      );
    });
  }

  #settle(call: Call, pass: Pass, result: unknown): void {
    this.#exchanges[call.index]?.settle();
    if (result === undefined) {
      this.#progress[call.index] = "passed";
      this.settled(call, "ran");
      return move(pass);
    }
    let reply: PendingReply;
    try {
      reply = acceptReply(result, call.step.name);
    } catch (cause) {
      return this.#fail(call, pass, "policy-failed", cause);
    }
    this.#progress[call.index] = "replied";
    this.settled(call, "replied", reply);
    this.#answer(call, pass, reply);
  }

  #fail(call: Call, pass: Pass, code: FailureCode, cause: unknown): void {
    this.journal.rollBack(call.mark);
    this.#exchanges[call.index]?.revoke();
    this.#progress[call.index] = "failed";
    this.settled(call, code === "policy-timeout" ? "timed-out" : "failed");
    if (this.#gone) return;
    const skipped = call.step.onError === "skip";
    const { id } = this.received;
    this.#report({ id, chain: this.chain, step: call.step.name, policy: call.step.policy, phase: call.phase, code, skipped, cause });
    if (skipped) move(pass);
    else this.#answer(call, pass, engineReply(code, id, isGrpc(this.received.headers)));
  }

  /** What a policy throws is its own object, and reading it may run its code once more: that must not decide about the exchange. */
  #report(failure: StepFailure): void {
    try {
      this.#host.failed(failure);
    } catch {
      this.#host.failed({ ...failure, cause: new Error("what the policy threw cannot be read") });
    }
  }

  /** From here on only the response handlers of the steps before this one are left, on this reply. */
  #answer(call: Call, pass: Pass, reply: PendingReply): void {
    this.#reply = reply;
    this.response = new ResponseView({ headers: replyHeaders(reply) }, "reply", this.journal);
    pass.phase = "response";
    pass.cursor = call.index - 1;
  }

  #outcome(): RunOutcome {
    if (this.#gone) return { kind: "gone" };
    if (this.#reply !== undefined && this.response !== undefined) {
      return { kind: "reply", reply: finalReply(this.#reply, this.response, this.received.id, isGrpc(this.received.headers)) };
    }
    return { kind: "continue", changes: (this.response ?? this.request).headers.changes() };
  }
}

function move(pass: Pass): void {
  if (pass.phase === "request") pass.cursor++;
  else pass.cursor--;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Whatever a thenable does, it settles once and later; a native promise costs one turn. */
async function awaited(result: unknown): Promise<unknown> {
  return await result;
}
