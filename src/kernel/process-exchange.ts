/**
 * One ext_proc stream is one exchange. All branching on the protocol is here; what is called from here is pure or the worker.
 *
 * What must hold whatever happens (measured on Envoy 1.36.2): every message gets at most one answer, nothing follows a reply, and status OK
 * is written only when nothing is unanswered and nothing can still run, because OK lets the rest of the exchange pass unprocessed.
 */
import { messageBudgetMs } from "../config/message-budget.ts";
import type { FailureCode } from "../errors.ts";
import type { Generation } from "../generations/generation.ts";
import type { BodyFlow, FlowFailure } from "../worker/body-flow.ts";
import type { Chain } from "../worker/chain.ts";
import type { ReceivedRequest } from "../worker/received.ts";
import { noHeaders, type ReceivedHeaders } from "../worker/received-headers.ts";
import { engineRefusal, type FinalReply, isGrpc } from "../worker/reply.ts";
import type { ExchangeRun } from "../worker/run.ts";
import type { Continued, RunOutcome } from "../worker/run-outcome.ts";
import type { StreamFault } from "./body-stream.ts";
import { BodyStreams, type BodyStreamsHost } from "./body-streams.ts";
import { type CodedFlow, passage } from "./coded-flow.ts";
import type { ExchangeEnd } from "./exchange-counters.ts";
import { type ExchangeState, fateOfUnasked, type UnaskedPhase } from "./exchange-state.ts";
import type { EndedEvent, KernelHost } from "./kernel-host.ts";
import { NegotiatedModes } from "./negotiated-modes.ts";
import { isNormalPath } from "./normal-path.ts";
import type { OpenExchanges } from "./open-exchanges.ts";
import type { Awaited, Wants } from "./processing-mode.ts";
import { IncomingRequest, receivedResponse } from "./received-messages.ts";
import { routeIdentity } from "./route-identity.ts";
import { routeTarget } from "./route-table.ts";
import { streamedHeaders } from "./streamed-headers.ts";
import { ToldMetadata } from "./told-metadata.ts";
import type { StreamHandler, StreamMetadata, StreamSink } from "./transport.ts";
import { type BodyFault, type Direction, type ExpectedBody, expectBody, type ReadBody, readBody, writeBody } from "./whole-body.ts";
import { decodeIncoming, type Incoming } from "./wire/decode.ts";
import { encodeBodyAnswer, encodeHeadersAnswer, encodeReply, exceedsEnvoysLimit, unchanged } from "./wire/encode.ts";

/** Body and trailer messages that may queue while a step runs; Envoy sends none unless its own configuration says so. */
const queuedMessagesMax = 64;
const nothingQueued: readonly UnaskedPhase[] = [];

/** Why nothing of the exchange is left to be done. */
type Over = "replied" | "nothing-left";

export class Exchange implements StreamHandler, BodyStreamsHost, EndedEvent {
  readonly #host: KernelHost;
  readonly metadata: StreamMetadata;
  readonly #sink: StreamSink;
  #id: string | undefined;
  readonly #open: OpenExchanges;
  /** Among the open ones; theirs to set. */
  place = 0;
  #state: ExchangeState = "opened";
  #end: ExchangeEnd = "gone";
  #halfClosed = false;
  /** A promise is pending: the run and its generation cannot be let go of yet. */
  #pending = false;
  /** On the monotonic clock. */
  readonly #openedMs: number;
  /** When the message under way must have been answered, on the monotonic clock. */
  #deadlineMs = 0;
  /** Undefined: there are none. */
  #queued: UnaskedPhase[] | undefined;
  readonly #modes: NegotiatedModes;
  /** Bodies that pass in pieces, whatever the state is. */
  readonly #streams: BodyStreams;
  /** The body that is waited for, or was last. */
  #expected: ExpectedBody | undefined;
  /** The request's body has failed: all that Envoy still hears is the reply, whatever it says meanwhile. */
  #requestFailed = false;
  /** Directions whose whole body has come. */
  #taken: readonly Direction[] = [];
  /** Undefined until it is there. */
  #response: ReceivedHeaders | undefined;
  readonly #told: ToldMetadata;
  #generation: Generation | undefined;
  #generationNumber: number | undefined;
  #run: ExchangeRun | undefined;
  #request: ReceivedRequest | undefined;
  #chain: Chain | undefined;
  #answered: FinalReply | undefined;

  /** @param id undefined: it gets one when somebody asks for it */
  constructor(host: KernelHost, id: string | undefined, metadata: StreamMetadata, sink: StreamSink, open: OpenExchanges) {
    this.#host = host;
    this.metadata = metadata;
    this.#sink = sink;
    this.#open = open;
    this.#streams = new BodyStreams(sink, this);
    this.#id = id;
    this.#openedMs = host.monotonicMs();
    this.#modes = new NegotiatedModes(host.envoy);
    this.#told = new ToldMetadata(host.engineMetadata, this);
    host.counters.opened();
    open.add(this);
  }

  message(bytes: Uint8Array): void {
    try {
      this.#take(decodeIncoming(bytes));
    } catch (cause) {
      this.#refuse("internal-error", cause);
    }
  }

  halfClosed(): void {
    this.#halfClosed = true;
    switch (this.#state) {
      case "running":
        // Answered, if at all, when the step that runs has come to its end.
        return this.#run?.abort();
      case "awaiting-request-body":
        return this.#bodyNotSent("request");
      case "awaiting-response-body":
        return this.#bodyNotSent("response");
      case "passing":
        return this.#cutOff();
      case "opened":
      case "awaiting-response":
        if (this.#streams.areOpen) return this.#cutOff();
        // Envoy asks nothing more: a local reply of its own, a client that left, or simply the end.
        return this.#endOk("nothing-left");
      case "ended":
        return;
      default:
        return this.#state satisfies never;
    }
  }

  closed(): void {
    const state = this.#state;
    // Without a half-close before it the connection is lost: Envoy answers by itself, and nothing has passed unseen.
    if (state === "awaiting-request-body" || state === "awaiting-response-body") this.#end = "body-not-sent";
    else if (this.#streams.areOpen && this.#response === undefined) this.#end = "gone";
    this.#state = "ended";
    this.#streams.stop();
    this.#host.counters.closed(this.#end);
    this.#open.delete(this);
    this.#letGo();
    this.#host.ended(this);
  }

  get id(): string {
    this.#id ??= this.#host.newId();
    return this.#id;
  }

  get request(): ReceivedRequest | undefined {
    return this.#request;
  }

  get chain(): string | undefined {
    return this.#chain?.name;
  }

  get generation(): number | undefined {
    return this.#generationNumber;
  }

  get end(): ExchangeEnd {
    return this.#end;
  }

  get reply(): FinalReply | undefined {
    return this.#answered;
  }

  /** Since the stream was opened. */
  get durationMs(): number {
    return this.#host.monotonicMs() - this.#openedMs;
  }

  /** The grace period is over. */
  abandon(): void {
    if (this.#state !== "ended") this.#fail("unavailable", "the engine is shutting down");
  }

  drained(): void {
    // Other answers are few, and Envoy waits for each of them.
    if (this.#state !== "ended") this.#streams.drained();
  }

  sendLast(answer: Uint8Array): void {
    if (this.#state === "passing" && !this.#streams.areOpen) this.#endOk("nothing-left", answer);
    else this.#sink.send(answer);
  }

  /** Until the response is there the client can be told. After that its part of the body is cut off, and so is the upstream's of the request's. */
  streamFailed(direction: Direction, failure: FlowFailure | StreamFault): void {
    this.#streams.stop();
    const run = this.#run;
    if (direction === "response" || this.#response !== undefined || run === undefined) {
      this.#end = "failed";
      return this.#fail("internal", "a body cannot come to its end");
    }
    if (failure.call === undefined) return this.#refuse(failure.code, failure.cause);
    this.#state = "running";
    this.#requestFailed = true;
    this.#deadlineMs = this.#nextDeadlineMs();
    this.#proceed(run.replyToFailure(failure, this.#deadlineMs), () => this.#refuse(failure.code));
  }

  streamsSettled(): void {
    if (this.#state === "ended") this.#letGo();
  }

  #take(incoming: Incoming): void {
    const { phase } = incoming;
    if (this.#state === "ended" || this.#requestFailed || phase === "unknown") return;
    if (incoming.observed) return this.#host.counters.observed();
    if (this.#state !== "running") this.#deadlineMs = this.#nextDeadlineMs();
    const { configured } = incoming;
    if (configured !== undefined) this.#modes.configured(configured);
    switch (phase) {
      case "request-headers":
        return this.#state === "opened" ? this.#startRequest(incoming) : this.#refuse("unexpected-message");
      case "response-headers":
        return this.#takeResponse(incoming);
      case "request-body":
        return this.#takeData("request", incoming);
      case "response-body":
        return this.#takeData("response", incoming);
      case "request-trailers":
        return this.#takeTrailers("request", incoming);
      case "response-trailers":
        return this.#takeTrailers("response", incoming);
      default:
        return phase satisfies never;
    }
  }

  #startRequest(incoming: Incoming): void {
    this.#state = "running";
    const { envoy, generations } = this.#host;
    const identity = routeIdentity(envoy.identity, incoming.attributes, this.metadata);
    const routeName = identity.kind === "route" ? identity.name : "";
    const request = new IncomingRequest(incoming, this, this.#host.now(), routeName);
    this.#request = request;
    if (request.hasBody && this.#modes.inPieces("request")) this.#streams.expect("request");
    const generation = generations.current();
    if (generation === undefined) return this.#refuse("not-ready");
    generation.pin();
    this.#generation = generation;
    this.#generationNumber = generation.number;
    const target = routeTarget(identity, generation);
    switch (target.kind) {
      case "refused":
        return this.#refuse(target.code);
      case "pass":
        this.#end = "passed";
        return this.#finish("request", unchanged["request-headers"]);
      case "chain":
        return this.#runRequest(target.chain, request, generation.number);
      default:
        return target satisfies never;
    }
  }

  #runRequest(chain: Chain, request: ReceivedRequest, generation: number): void {
    this.#chain = chain;
    chain.counter.exchanges += 1;
    if (this.#host.refusesNew()) return this.#refuse("overloaded");
    const { headers } = request;
    if (!chain.rawPath && !isNormalPath(headers)) return this.#refuse("path-not-normal");
    const run = this.#host.startRun(chain, request, generation, this.metadata);
    this.#run = run;
    // Known before anything has reached the upstream, so said before it does.
    if (!this.#modes.canHave("response", run.responseBodyUse())) return this.#refuse("body-not-sent");
    this.#proceed(run.runRequest(this.#deadlineMs, this.#modes.delivery("request")), (done) => {
      const passed = passage(request.headers, done);
      if ("flow" in passed) return this.#refuseFlow(run, passed.flow, "request-coding");
      const changes = done.flow === undefined ? done.changes : streamedHeaders(request.headers, done);
      const follows = run.wantsResponse() || this.#streams.areOpen;
      const override = follows ? this.#modes.override(this.#wantsAfterRequest(run, "none")) : undefined;
      this.#answerRequest(run, encodeHeadersAnswer("request-headers", changes, override), passed.through);
    });
  }

  #takeResponse(incoming: Incoming): void {
    switch (this.#state) {
      case "opened":
        return this.#refuse("request-headers-missing");
      case "running":
      case "awaiting-response-body":
        return this.#refuse("unexpected-message");
      case "awaiting-request-body":
        // The override that asked for the body was ignored: the upstream has had the request.
        return this.#refuseBody("body-not-sent");
      case "awaiting-response":
        return this.#runResponse(incoming);
      case "passing":
        return this.#response === undefined ? this.#passResponse(incoming) : this.#refuse("unexpected-message");
      case "ended":
        return;
      default:
        return this.#state satisfies never;
    }
  }

  #runResponse(incoming: Incoming): void {
    const run = this.#run;
    if (run === undefined) return this.#refuse("unexpected-message");
    this.#state = "running";
    this.#expectResponse(incoming);
    this.#proceed(run.runResponse(receivedResponse(incoming), this.#deadlineMs, this.#modes.delivery("response")), (done) => {
      const passed = passage(incoming.headers, done);
      if ("flow" in passed) return this.#refuse("response-coding");
      const changes = done.flow === undefined ? done.changes : streamedHeaders(incoming.headers, done);
      this.#finish("response", encodeHeadersAnswer("response-headers", changes, undefined), passed.through);
    });
  }

  /** No handler is left for it: Envoy's own configuration sends it. */
  #passResponse(incoming: Incoming): void {
    this.#expectResponse(incoming);
    this.#sink.send(unchanged["response-headers"]);
    this.#streams.open("response", undefined);
  }

  #expectResponse({ headers, endOfStream }: Incoming): void {
    this.#response = headers;
    if (!endOfStream && this.#modes.inPieces("response")) this.#streams.expect("response");
  }

  #refuseFlow(run: ExchangeRun, { first }: BodyFlow, code: FailureCode): void {
    this.#proceed(run.replyToFailure({ call: first, code, cause: undefined }, this.#deadlineMs), () => this.#refuse(code));
  }

  /** A step waits for the body of a direction: its headers are answered with the wish for it, or the exchange is refused. */
  #awaitBody({ phase: direction, changes }: Extract<RunOutcome, { readonly kind: "needs-body" }>): void {
    const expected = this.#expect(direction);
    if ("fault" in expected) return this.#refuseBody(expected.fault);
    // A body that comes before it is asked for need not be whole.
    if (this.#queued?.some((phase) => phase.startsWith(direction))) return this.#refuse("unexpected-message");
    this.#expected = expected;
    this.#state = `awaiting-${direction}-body`;
    const run = this.#run;
    if (run === undefined) return this.#refuse("unexpected-message");
    const wants: Wants =
      direction === "request" ? this.#wantsAfterRequest(run, "whole") : { answered: "response-headers", responseBody: "whole" };
    this.#sink.send(encodeHeadersAnswer(`${direction}-headers`, changes, this.#modes.override(wants)));
    for (const phase of this.#takeQueued()) this.#takeUnasked(phase);
  }

  #expect(direction: Direction): ExpectedBody | BodyFault {
    if (!this.#modes.canHave(direction, "buffered")) return { fault: "body-not-sent" };
    return expectBody(direction, this.#receivedHeaders(direction), this.#chain?.bodyBytesMax ?? this.#host.envoy.bodyBytesMax);
  }

  #receivedHeaders(direction: Direction): ReceivedHeaders {
    return (direction === "request" ? this.#request?.headers : this.#response) ?? noHeaders;
  }

  #takeTrailers(direction: Direction, { headers }: Incoming): void {
    if (this.#streams.has(direction)) return this.#streams.take(direction, { kind: "trailers", headers });
    if (this.#state === `awaiting-${direction}-body`) {
      return direction === "request" ? this.#refuseBody("body-missing") : this.#takeTrailersForBody();
    }
    this.#takeUnasked(`${direction}-trailers`);
  }

  #takeData(direction: Direction, { body: bytes, endOfStream }: Incoming): void {
    if (this.#streams.has(direction)) {
      this.#host.piece(bytes.length);
      return this.#streams.take(direction, { kind: "chunk", bytes, endOfStream });
    }
    if (this.#expected !== undefined && this.#state === `awaiting-${direction}-body`) return this.#takeBody(this.#expected, bytes);
    // Newer Envoys end a body twice; but data behind the whole of it says that Envoy does not send it whole.
    if (bytes.length > 0 && this.#taken.includes(direction)) return this.#refuse("body-not-sent");
    this.#takeUnasked(`${direction}-body`);
  }

  #takeBody(expected: ExpectedBody, bytes: Uint8Array): void {
    this.#state = "running";
    this.#taken = [...this.#taken, expected.direction];
    this.#settle(readBody(expected, bytes), (read) => ("fault" in read ? this.#refuseBody(read.fault) : this.#runOnBody(expected, read)));
  }

  #runOnBody(expected: ExpectedBody, read: ReadBody): void {
    const run = this.#run;
    if (run === undefined) return this.#refuse("unexpected-message");
    this.#proceed(run.resume(read.decoded, this.#deadlineMs), (done) =>
      this.#settle(writeBody(expected, read, done), (written) => {
        if ("fault" in written) return this.#refuse(written.fault, written.cause);
        const answer = encodeBodyAnswer(`${expected.direction}-body`, written.changes, written.bytes);
        if (expected.direction === "request") this.#answerRequest(run, answer);
        else this.#finish("response", answer);
      }),
    );
  }

  /** HEADERS and trailers without data: the headers have left, so an answer to trailers has nothing to say (measured). */
  #takeTrailersForBody(): void {
    const run = this.#run;
    if (run === undefined) return this.#refuse("unexpected-message");
    this.#state = "running";
    this.#proceed(run.resumeWithoutBody(this.#deadlineMs), () => this.#finish("response", unchanged["response-trailers"]));
  }

  /** The engine answers in place of the body's step; the steps before it see that. */
  #refuseBody(code: FailureCode): void {
    const run = this.#run;
    if (run === undefined) return this.#refuse(code);
    this.#state = "running";
    this.#proceed(run.refuse(code, this.#deadlineMs), () => this.#refuse(code));
  }

  /** Body and trailers that no step asked for. */
  #takeUnasked(phase: UnaskedPhase): void {
    const fate = fateOfUnasked(this.#state, phase);
    switch (fate.kind) {
      case "pass":
        return void this.#sink.send(unchanged[phase]);
      case "wait":
        this.#queued ??= [];
        if (this.#queued.length >= queuedMessagesMax) return this.#refuse("unexpected-message");
        this.#queued.push(phase);
        return;
      case "drop":
        return;
      case "refuse":
        return this.#refuse(fate.code);
      default:
        return fate satisfies never;
    }
  }

  #takeQueued(): readonly UnaskedPhase[] {
    const queued = this.#queued ?? nothingQueued;
    this.#queued = undefined;
    return queued;
  }

  /** Goes on when a pass of the loop has come to its end, now or later. */
  #proceed(outcome: RunOutcome | Promise<RunOutcome>, done: (outcome: Continued) => void): void {
    if (outcome instanceof Promise) this.#settle(outcome, (settled) => this.#conclude(settled, done));
    else this.#conclude(outcome, done);
  }

  /** Goes on at once where there is nothing to wait for, else when the promise has settled, unless the exchange is over by then. */
  #settle<Value>(value: Value | Promise<Value>, then: (value: Value) => void): void {
    if (!(value instanceof Promise)) return then(value);
    this.#pending = true;
    const goOn = (how: () => void): void => {
      this.#pending = false;
      // The run was only kept until its last step had come to an end.
      if (this.#state !== "running") return this.#letGo();
      try {
        if (this.#halfClosed) this.#gone();
        else how();
      } catch (cause) {
        this.#refuse("internal-error", cause);
      }
    };
    value.then(
      (settled) => goOn(() => then(settled)),
      (cause: unknown) => goOn(() => this.#refuse("internal-error", cause)),
    );
  }

  #conclude(outcome: RunOutcome, done: (outcome: Continued) => void): void {
    // Envoy has half-closed with its question unanswered, so this must not be OK, although it no longer listens.
    if (this.#halfClosed) return this.#gone();
    switch (outcome.kind) {
      case "continue":
        return exceedsEnvoysLimit(outcome.changes) ? this.#refuse("mutation-limit") : done(outcome);
      case "needs-body":
        return exceedsEnvoysLimit(outcome.changes) ? this.#refuse("mutation-limit") : this.#awaitBody(outcome);
      case "reply":
        // A larger one would not get through: the transport and Envoy limit what a message may hold.
        return outcome.reply.body.length > this.#host.envoy.bodyBytesMax
          ? this.#refuse(
              "policy-failed",
              new RangeError(`the body of the reply of \`${outcome.reply.step}\` is larger than \`bodyBytesMax\``),
            )
          : this.#reply(outcome.reply);
      case "gone":
        return this.#gone();
      default:
        return outcome satisfies never;
    }
  }

  /** Client or upstream broke off, or the response was there before the request had come to its end: nobody listens any more. */
  #cutOff(): void {
    if (this.#response === undefined) return this.#gone();
    this.#fail("unavailable", "the exchange has ended before its bodies");
  }

  #gone(): void {
    this.#end = "gone";
    this.#fail("unavailable", "the client is gone");
  }

  /** The rest of the body never comes: what waits for it does not run. */
  #bodyNotSent(direction: Direction): void {
    this.#end = "body-not-sent";
    this.#fail("unavailable", "the body that a step waits for was not sent");
    this.#host.bodyNotSent({ ...this.#facts(), direction });
  }

  #answerRequest(run: ExchangeRun, answer: Uint8Array, flow?: BodyFlow | CodedFlow): void {
    this.#end = "continued";
    if (!run.wantsResponse()) return this.#finish("request", answer, flow);
    this.#state = "awaiting-response";
    this.#sink.send(this.#told.addTo(answer, this.#run?.metadata));
    for (const phase of this.#takeQueued()) this.#takeUnasked(phase);
    this.#streams.open("request", flow);
  }

  /** The last answer of the loop: no handler can run any more. It is that of the exchange, unless a body is still to pass. */
  #finish(direction: Direction, answer: Uint8Array, flow?: BodyFlow | CodedFlow): void {
    if (this.#streams.areOpen) {
      this.#state = "passing";
      this.#sink.send(this.#told.addTo(answer, this.#run?.metadata));
      for (const phase of this.#takeQueued()) this.#takeUnasked(phase);
      return this.#streams.open(direction, flow);
    }
    let last = this.#told.addTo(answer, this.#run?.metadata);
    for (const phase of this.#takeQueued()) {
      this.#sink.send(last);
      last = unchanged[phase];
    }
    this.#endOk("nothing-left", last);
  }

  #reply(reply: FinalReply, cause?: unknown): void {
    this.#end = reply.step === undefined ? "failed" : "replied";
    this.#endOk("replied", this.#told.addTo(encodeReply(reply), this.#run?.metadata));
    this.#answered = reply;
    this.#host.replied({ ...this.#facts(), reply, durationMs: this.durationMs, cause });
  }

  #facts() {
    const { id, request, chain, generation } = this;
    return { id, request, chain, generation };
  }

  /** The engine's own refusal. Whatever goes wrong on the way there ends the stream with an error, which Envoy turns into a 500. */
  #refuse(code: FailureCode, cause?: unknown): void {
    if (this.#hasEnded()) return this.#letGo();
    try {
      this.#reply(engineRefusal(code, this.id, isGrpc(this.#request?.headers ?? noHeaders)), cause);
    } catch {
      // Told too late: nothing may follow a reply.
      if (!this.#hasEnded()) this.#fail("internal", "the engine failed");
    }
  }

  #hasEnded(): boolean {
    return this.#state === "ended";
  }

  #fail(status: "internal" | "unavailable", text: string): void {
    this.#state = "ended";
    this.#streams.stop();
    this.#sink.fail(status, text);
    this.#letGo();
  }

  /** The only place that ends with status OK: after a reply, or when no message is unanswered and no handler can still run. */
  #endOk(over: Over, lastAnswer?: Uint8Array): void {
    if (over === "nothing-left" && (this.#pending || this.#streams.areOpen || this.#state.endsWith("-body"))) {
      throw new Error(`OK in state ${this.#state} would let the exchange pass unprocessed`);
    }
    this.#state = "ended";
    this.#streams.stop();
    if (lastAnswer === undefined) this.#sink.end();
    else this.#sink.sendAndEnd(lastAnswer);
    this.#letGo();
  }

  /** Lets go of run and generation as soon as nothing of the chain can run any more, not when the stream ends: a websocket lasts hours. */
  #letGo(): void {
    if (this.#pending || this.#streams.areBusy) return this.#run?.abort();
    this.#run?.close();
    this.#run = undefined;
    this.#generation?.unpin();
    this.#generation = undefined;
  }

  #nextDeadlineMs(): number {
    return this.#host.monotonicMs() + messageBudgetMs(this.#host.envoy.messageTimeoutMs);
  }

  #wantsAfterRequest(run: ExchangeRun, requestBody: Awaited): Wants {
    return {
      answered: "request-headers",
      requestBody,
      response: run.wantsResponse(),
      responseBody: run.responseBodyUse(),
      upgrade: this.#request?.upgrade === true,
    };
  }
}
