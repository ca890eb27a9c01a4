/**
 * One exchange on its way through one chain: a single loop for both directions over the flat list of steps.
 *
 * This is the only place that calls a policy's handlers, the only try/catch around them, the only place that decides on failure modes and
 * deadlines, and the only place where a reply ends the request side. It stays synchronous until a step returns a promise. What streamed steps
 * leave behind for the body is called in `body-flow.ts`.
 */
import type { BodyTransform, Outcome } from "@envoy-policy-engine/sdk";
import type { FailureMode } from "../config/types.ts";
import type { FailureCode } from "../errors.ts";
import type { CompiledExpression } from "../expressions/expression.ts";
import type { StepOutcome, StepPhase } from "../observe/step-counters.ts";
import { acceptTransform } from "./accept-transform.ts";
import { BodyFlow, type FlowFailure, StepStream } from "./body-flow.ts";
import { BodyStore } from "./body-store.ts";
import { type BodyUse, type BoundHandler, type BoundStep, bodyUse, bodyUseOf, type Chain, type StreamedHandler } from "./chain.ts";
import { noChanges } from "./header-store.ts";
import { Journal } from "./journal.ts";
import { endsWithItsHeaders, RequestView, ResponseView } from "./message-view.ts";
import { MetadataStore } from "./metadata-store.ts";
import { andThen, DeadlineError, type Eventually, isPromise, within } from "./promises.ts";
import type { ReceivedRequest, ReceivedResponse } from "./received.ts";
import { acceptReply, engineReply, finalReply, isGrpc, type PendingReply, replyView } from "./reply.ts";
import type { Call, RunHost, Settlement, StepFault } from "./run-host.ts";
import type { BodyDelivery, RunOutcome } from "./run-outcome.ts";
import { type SharedViews, StepExchange } from "./step-exchange.ts";
import { mayRespond, mayStillRespond, type Progress } from "./step-progress.ts";
import { ExchangeVariables, type VariableSources } from "./variables.ts";

/** One walk of the loop. A reply turns a request pass into a response pass in place. */
interface Pass {
  phase: StepPhase;
  cursor: number;
  readonly delivery: BodyDelivery;
  /** When the message must have been answered, on the monotonic clock. */
  deadlineMs: number;
}

export class ExchangeRun implements SharedViews, VariableSources {
  readonly received: ReceivedRequest;
  readonly request: RequestView;
  readonly metadata: MetadataStore;
  readonly variables: ExchangeVariables;
  response: ResponseView | undefined;
  protected readonly journal: Journal;
  readonly #chain: Chain;
  readonly #generation: number;
  readonly #host: RunHost;
  readonly #progress: Progress[];
  readonly #exchanges: (StepExchange | undefined)[] = [];
  #reply: PendingReply | undefined;
  /** The pass that stands at a step which waits for the body. */
  #waiting: { readonly pass: Pass; readonly call: Call } | undefined;
  /** What the streamed steps of the direction under way have left behind. */
  #flow: BodyFlow | undefined;
  /** The request side has not come to its end: steps that it has not reached may still take part in the response. */
  #requestOpen = true;
  /** The upstream's response is a stream of events, whose body has no end. */
  #endless = false;
  #gone = false;
  /** When the loop last looked at the clock: where one step ends, the next begins. */
  #nowMs = 0;

  /**
   * @param generation number of the generation that the chain is of
   * @param journal where changes are noted, those of `metadata` too
   */
  constructor(
    chain: Chain,
    received: ReceivedRequest,
    host: RunHost,
    generation: number,
    journal = new Journal(),
    metadata = new MetadataStore(journal),
  ) {
    this.#chain = chain;
    this.#generation = generation;
    this.journal = journal;
    this.metadata = metadata;
    this.#host = host;
    this.received = received;
    this.request = new RequestView(received, this.journal);
    this.variables = new ExchangeVariables(this);
    this.#progress = chain.steps.map(() => "unreached");
    if (!received.hasBody) this.request.body = new BodyStore(undefined, this.journal);
  }

  get chain(): string {
    return this.#chain.name;
  }

  /**
   * Runs the request side. A reply has already passed the response handlers of the steps before it.
   *
   * @param deadlineMs when the message must have been answered, milliseconds on the monotonic clock
   */
  runRequest(deadlineMs: number, delivery: BodyDelivery): Eventually<RunOutcome> {
    return this.#walk({ phase: "request", cursor: 0, delivery, deadlineMs });
  }

  /** Runs the response side on the upstream's response, from the last step to the first. */
  runResponse(received: ReceivedResponse, deadlineMs: number, delivery: BodyDelivery): Eventually<RunOutcome> {
    this.response = new ResponseView(received.headers, "upstream", this.journal);
    this.#endless = received.eventStream;
    if (!received.hasBody) this.response.body = new BodyStore(undefined, this.journal);
    return this.#walk({ phase: "response", cursor: this.#chain.steps.length - 1, delivery, deadlineMs });
  }

  /**
   * Goes on at the step that waits.
   *
   * @param body the whole body, decoded
   */
  resume(body: Uint8Array, deadlineMs: number): Eventually<RunOutcome> {
    const { pass } = this.#takeWaiting(deadlineMs);
    const store = new BodyStore(body, this.journal);
    const view = this.#viewOf(pass.phase);
    if (view !== undefined) view.body = store;
    const flow = this.#takeFlow();
    return flow === undefined ? this.#walk(pass) : andThen(this.#passWhole(flow, store, pass), () => this.#walk(pass));
  }

  /** The same where there turned out to be no body but trailers: the headers are on their way, and whoever still changes one has failed. */
  resumeWithoutBody(deadlineMs: number): RunOutcome | Promise<RunOutcome> {
    const { pass } = this.#takeWaiting(deadlineMs);
    this.#flow = undefined;
    const view = this.#viewOf(pass.phase);
    view?.headers.seal();
    if (view !== undefined) view.body = new BodyStore(undefined, this.journal);
    return this.#walk(pass);
  }

  /** The body that a step waits for cannot be given: the engine answers, and the steps before it see that. */
  refuse(code: FailureCode, deadlineMs: number): Eventually<RunOutcome> {
    const { pass, call } = this.#takeWaiting(deadlineMs);
    this.#refuseAt(call, pass, code);
    return this.#walk(pass);
  }

  /** The request's body cannot come to its end, and no response is there: the engine answers, and the steps before the failed one see that. */
  replyToFailure({ call, code }: FlowFailure, deadlineMs: number): Eventually<RunOutcome> {
    const pass: Pass = { phase: "request", cursor: call.index, delivery: "in-chunks", deadlineMs };
    this.#answer(call, pass, this.#ownReply(call, code));
    return this.#walk(pass);
  }

  /** Whether a response handler can still run: if not, nothing is asked of Envoy for the response. */
  wantsResponse(): boolean {
    if (!this.#chain.hasResponse || this.#reply !== undefined) return false;
    return this.#chain.steps.some((step, index) => step.response !== undefined && this.#mayStillRespond(step, index));
  }

  /** What the steps that can still run do with the response's body. */
  responseBodyUse(): BodyUse {
    if (!this.#chain.hasResponse || this.#reply !== undefined) return "none";
    return bodyUseOf(
      this.#chain.steps.filter((step, index) => this.#mayStillRespond(step, index)),
      "response",
    );
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

  /** Decides a condition. Throws when that fails. */
  protected decides(_call: Call, when: CompiledExpression<boolean>): boolean {
    return when.run(this.variables);
  }

  /** Hears of every step that was skipped or refused, and of every handler that has come to an end. */
  protected settled(call: Call, outcome: StepOutcome, _settlement?: Settlement): void {
    const { counters } = this.#host;
    counters.count(call.step.counter, call.phase, outcome);
    if (outcome !== "skipped" && outcome !== "refused") counters.observe(call.step.counter, call.phase, this.tookMs(call));
  }

  /** How long a step that has just come to its end took, milliseconds. */
  protected tookMs({ startedMs }: Call): number {
    return this.#nowMs - startedMs;
  }

  #lookAtClock(): void {
    this.#nowMs = this.#host.monotonicMs();
  }

  #takeWaiting(deadlineMs: number): { readonly pass: Pass; readonly call: Call } {
    const waiting = this.#waiting;
    if (waiting === undefined) throw new Error("no step waits for a body");
    this.#waiting = undefined;
    waiting.pass.deadlineMs = deadlineMs;
    return waiting;
  }

  #viewOf(phase: StepPhase): RequestView | ResponseView | undefined {
    return phase === "request" ? this.request : this.response;
  }

  #takeFlow(): BodyFlow | undefined {
    const flow = this.#flow;
    this.#flow = undefined;
    return flow;
  }

  #walk(pass: Pass): Eventually<RunOutcome> {
    const pending = this.#advance(pass);
    return pending === undefined ? this.#outcome() : pending.then(() => this.#outcome());
  }

  #advance(pass: Pass): Promise<void> | undefined {
    this.#lookAtClock();
    while (!this.#gone && this.#waiting === undefined) {
      const step = this.#chain.steps[pass.cursor];
      if (step === undefined && !this.#endPass(pass)) return undefined;
      if (step === undefined) continue;
      const pending = this.#visit(step, pass.cursor, pass);
      if (pending !== undefined) return pending.then(() => this.#advance(pass));
    }
    return undefined;
  }

  /** Every step has had its turn. Whether the loop goes on: on a reply, because what a step has left behind has failed already. */
  #endPass(pass: Pass): boolean {
    if (this.#flow === undefined) return false;
    const { failure, first } = this.#flow;
    if (failure !== undefined) this.#answer(failure.call, pass, this.#ownReply(failure.call, failure.code));
    else if (pass.delivery === "whole") this.#waiting = { pass, call: first };
    return failure !== undefined;
  }

  #visit(step: BoundStep, index: number, pass: Pass): Promise<void> | undefined {
    const call = { step, index, phase: pass.phase, startedMs: this.#nowMs, mark: this.journal.mark() };
    if (pass.phase === "request") {
      // Whether it runs is not decided yet, but by then the connection is upgraded.
      if (step.whenReadsResponse && bodyUse(step, "response") !== "none" && this.received.upgrade)
        return void this.#refuseOrPass(call, pass, step.onUpgrade, "upgrade-refused");
      if (step.whenReadsResponse) return void pass.cursor++;
      if (this.#progress[index] !== "held") {
        if (step.reads.requestBody && this.#mustWait(call, pass)) return undefined;
        if (!this.#holds(call, pass)) return undefined;
      }
      if ((bodyUse(step, "response") !== "none" || step.request?.body === "streamed") && this.received.upgrade)
        return void this.#refuseOrPass(call, pass, step.onUpgrade, "upgrade-refused");
      if (step.request?.body === "buffered" && this.#mustWait(call, pass)) return undefined;
      if (step.request === undefined) {
        this.#progress[index] = "passed";
        return void pass.cursor++;
      }
      return this.#call(call, pass, step.request);
    }
    if (step.response === undefined || !mayRespond(step, this.#progress[index])) return void pass.cursor--;
    if (step.reads.responseBody && this.#mustWait(call, pass)) return undefined;
    if (step.whenReadsResponse && this.#progress[index] === "unreached") {
      if (!this.#holds(call, pass)) return undefined;
      this.#progress[index] = "passed";
    }
    if (step.response.body === "buffered" && this.#mustWait(call, pass)) return undefined;
    // What would have to come whole for it has no end.
    if (step.response.body === "streamed" && pass.delivery === "whole" && this.#endless && this.response?.body === undefined)
      return void this.#refuseOrPass(call, pass, step.onStream, "stream-refused");
    return this.#call(call, pass, step.response);
  }

  /** Whether the step must wait for the body of its direction, or may not have it: the pass then waits, or has been moved on. */
  #mustWait(call: Call, pass: Pass): boolean {
    const { step, index, phase } = call;
    if (this.#viewOf(phase)?.body !== undefined) return false;
    if (phase === "request" && this.received.upgrade) {
      this.#refuseOrPass(call, pass, step.onUpgrade, "upgrade-refused");
    } else if (phase === "response" && this.#endless) {
      this.#refuseOrPass(call, pass, step.onStream, "stream-refused");
    } else {
      if (phase === "request" && !step.reads.requestBody) this.#progress[index] = "held";
      this.#waiting = { pass, call };
    }
    return true;
  }

  /** A step cannot have the body it waits for: it is passed over where its author's user says so, else the exchange is refused. */
  #refuseOrPass(call: Call, pass: Pass, mode: FailureMode, code: FailureCode): void {
    if (mode === "deny") return this.#refuseAt(call, pass, code);
    this.#progress[call.index] = "skipped";
    this.settled(call, "skipped", { code, handled: mode, cause: undefined });
    move(pass);
  }

  #refuseAt(call: Call, pass: Pass, code: FailureCode): void {
    this.#progress[call.index] = "failed";
    this.settled(call, "refused", { code, handled: "deny", cause: undefined });
    this.#answer(call, pass, this.#ownReply(call, code));
  }

  #mayStillRespond(step: BoundStep, index: number): boolean {
    return (this.#requestOpen ? mayStillRespond : mayRespond)(step, this.#progress[index]);
  }

  /** Decides the step's condition. False when the loop must not call the handler: the pass has then been moved on. */
  #holds(call: Call, pass: Pass): boolean {
    const { when } = call.step;
    if (when === undefined) return true;
    try {
      if (this.decides(call, when)) return true;
    } catch (cause) {
      this.#fail(call, pass, "condition-failed", cause);
      return false;
    }
    this.#lookAtClock();
    this.#progress[call.index] = "skipped";
    this.settled(call, "skipped");
    move(pass);
    return false;
  }

  #call(call: Call, pass: Pass, handler: BoundHandler): Promise<void> | undefined {
    const leftMs = Math.min(call.step.timeoutMs, pass.deadlineMs - call.startedMs);
    if (leftMs <= 0) return void this.#fail(call, pass, "policy-timeout", new Error("the message budget was used up by earlier steps"));
    const exchange = this.#exchange(call);
    if (handler.body === "streamed") return this.#start(call, pass, exchange, handler, leftMs);
    let result: Outcome;
    try {
      result = handler.handle(exchange);
      if (isPromise(result)) return this.#settleLater(call, pass, exchange, within(result, leftMs, this.#host.startTimer));
    } catch (cause) {
      return void this.#fail(call, pass, "policy-failed", cause);
    }
    this.#countOverrun(call, leftMs);
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

  /** A deadline cannot cut a synchronous handler short. */
  #countOverrun(call: Call, leftMs: number): void {
    this.#lookAtClock();
    if (this.tookMs(call) > leftMs) this.#host.counters.count(call.step.counter, call.phase, "overrun");
  }

  #settleLater(call: Call, pass: Pass, exchange: StepExchange, result: Promise<unknown>): Promise<void> {
    return result.then(
      (value) => {
        this.#lookAtClock();
        this.#settle(call, pass, value);
      },
      (cause: unknown) => {
        if (!(cause instanceof DeadlineError)) return this.#fail(call, pass, "policy-failed", cause);
        exchange.abort();
        this.#fail(call, pass, "policy-timeout", cause);
      },
    );
  }

  /** A transform is kept for the body; or the body passes it at once, if it is there. */
  #start(call: Call, pass: Pass, exchange: StepExchange, { start }: StreamedHandler, leftMs: number): Promise<void> | undefined {
    const stream = new StepStream();
    let result: ReturnType<typeof start>;
    try {
      result = start(exchange, stream);
      if (isPromise(result)) throw new TypeError("`start` gives the transform at once: nobody waits for it");
    } catch (cause) {
      return void this.#fail(call, pass, "policy-failed", cause);
    }
    this.#countOverrun(call, leftMs);
    if (stream.reason !== undefined) return void this.#fail(call, pass, "stream-aborted", new Error(stream.reason));
    let transform: BodyTransform | undefined;
    try {
      transform = acceptTransform(result);
    } catch (cause) {
      return void this.#fail(call, pass, "policy-failed", cause);
    }
    if (transform === undefined) return void this.#settle(call, pass, result);
    if (call.phase === "response" && this.response?.status === 206) {
      return void this.#fail(call, pass, "policy-failed", new TypeError("a 206 response is a part of a whole: it cannot be transformed"));
    }
    this.#settle(call, pass, undefined);
    const body = (call.phase === "request" ? this.request : this.response)?.body;
    if (body?.absent === true || (call.phase === "response" && endsWithItsHeaders(this.received, this.response))) return undefined;
    const flow = this.#flow ?? new BodyFlow(this.#host, call, (failure) => this.#failFlow(failure));
    flow.add(call, transform);
    stream.started((reason) => flow.abort(call, reason));
    if (body !== undefined) return this.#passWhole(flow, body, pass);
    this.#flow = flow;
    return undefined;
  }

  /** The whole body through what was left behind for it. */
  #passWhole(flow: BodyFlow, body: BodyStore, pass: Pass): Promise<void> | undefined {
    const passed = andThen(body.bytes === undefined ? undefined : flow.whole(new Uint8Array(body.bytes), pass.deadlineMs), (bytes) => {
      if (flow.failure === undefined) return body.absent ? undefined : body.change(bytes);
      this.#answer(flow.failure.call, pass, this.#ownReply(flow.failure.call, flow.failure.code));
    });
    return passed instanceof Promise ? passed : undefined;
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
    this.settled(call, "replied", { reply });
    this.#answer(call, pass, reply);
  }

  #fail(call: Call, pass: Pass, code: FailureCode, cause: unknown): void {
    this.#lookAtClock();
    this.journal.rollBack(call.mark);
    this.#exchanges[call.index]?.revoke();
    this.#progress[call.index] = "failed";
    const fault: StepFault = { code, handled: call.step.onError, cause };
    this.settled(call, code === "policy-timeout" ? "timed-out" : "failed", fault);
    if (this.#gone) return;
    this.#report(call, fault);
    if (fault.handled === "skip") move(pass);
    else this.#answer(call, pass, this.#ownReply(call, code));
  }

  /** A body that was on its way has failed: `onError: skip` does not help, what has gone on cannot be taken back. */
  #failFlow({ call, code, cause }: FlowFailure): void {
    this.#lookAtClock();
    const exchange = this.#exchanges[call.index];
    if (code === "policy-timeout") exchange?.abort();
    exchange?.revoke();
    this.#progress[call.index] = "failed";
    const fault: StepFault = { code, handled: "deny", cause };
    this.settled({ ...call, mark: this.journal.mark() }, code === "policy-timeout" ? "timed-out" : "failed", fault);
    if (this.#gone) return;
    this.#report(call, fault);
  }

  #ownReply({ step }: Call, code: FailureCode): PendingReply {
    return { ...engineReply(code, this.received.id, isGrpc(this.received.headers)), failedStep: step.name };
  }

  /** What a policy throws is its own object, and reading it may run its code once more: that must not decide about the exchange. */
  #report(call: Call, fault: StepFault): void {
    const { step, phase } = call;
    const where = { request: this.received, generation: this.#generation, chain: this.chain, step: step.name, policy: step.policy, phase };
    const failure = { ...where, ...fault, durationMs: this.tookMs(call) };
    try {
      this.#host.failed(failure);
    } catch {
      this.#host.failed({ ...failure, cause: new Error("what the policy threw cannot be read") });
    }
  }

  /**
   * From here on only the response handlers of the steps before this one are left, on this reply; on the way back those that have not had their turn.
   */
  #answer({ index }: Call, pass: Pass, reply: PendingReply): void {
    this.#reply = reply;
    this.#flow = undefined;
    this.response = replyView(reply, this.journal);
    pass.cursor = pass.phase === "request" ? index - 1 : Math.min(index - 1, pass.cursor);
    pass.phase = "response";
  }

  #outcome(): RunOutcome {
    if (this.#gone) return { kind: "gone" };
    if (this.#waiting !== undefined) {
      const { phase } = this.#waiting.pass;
      return { kind: "needs-body", phase, changes: this.#viewOf(phase)?.headers.takeChanges() ?? noChanges };
    }
    this.#requestOpen = false;
    if (this.#reply !== undefined && this.response !== undefined) {
      return { kind: "reply", reply: finalReply(this.#reply, this.response, this.received.id, isGrpc(this.received.headers)) };
    }
    const { headers, body } = this.response ?? this.request;
    this.#forgetRequestBody();
    return {
      kind: "continue",
      changes: headers.takeChanges(),
      touched: (header) => headers.isChanged(header),
      body: body?.replaced === true ? (body.bytes ?? new Uint8Array()) : undefined,
      flow: this.#takeFlow(),
    };
  }

  /** The upstream may take its time, and bodies are what exchanges that wait for it would fill the memory with. */
  #forgetRequestBody(): void {
    if (this.request.body === undefined || this.#chain.steps.some((step) => step.reads.requestBody && step.response !== undefined)) return;
    this.request.body = undefined;
    this.journal.forget();
  }
}

function move(pass: Pass): void {
  if (pass.phase === "request") pass.cursor++;
  else pass.cursor--;
}
