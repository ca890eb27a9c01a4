/**
 * One ext_proc stream is one exchange. All branching on the protocol is here; what is called from here is pure or the worker.
 *
 * What must hold whatever happens (measured on Envoy 1.36.2): every message gets at most one answer, nothing follows a reply, and status OK
 * is written only when nothing is unanswered and nothing can still run, because OK lets the rest of the exchange pass unprocessed.
 */
import { messageBudgetMs } from "../config/message-budget.ts";
import type { FailureCode } from "../errors.ts";
import type { Generation } from "../generations/generation.ts";
import type { Chain } from "../worker/chain.ts";
import type { HeaderEntry } from "../worker/header-store.ts";
import type { ReceivedRequest } from "../worker/received.ts";
import { engineRefusal, type FinalReply, isGrpc } from "../worker/reply.ts";
import type { Continued, ExchangeRun, RunOutcome } from "../worker/run.ts";
import type { ExchangeEnd } from "./exchange-counters.ts";
import type { KernelHost } from "./kernel-host.ts";
import { isNormalPath } from "./normal-path.ts";
import { type Awaited, type ModesInForce, modeOverride } from "./processing-mode.ts";
import { receivedRequest, receivedResponse, receivedText } from "./received-messages.ts";
import { engineNamespace, routeIdentity } from "./route-identity.ts";
import { routeTarget } from "./route-table.ts";
import type { StreamHandler, StreamMetadata, StreamSink } from "./transport.ts";
import { type BodyFault, type Direction, type ExpectedBody, expectBody, type ReadBody, readBody, writeBody } from "./whole-body.ts";
import { decodeIncoming, type Incoming, type Phase } from "./wire/decode.ts";
import {
  encodeBodyAnswer,
  encodeHeadersAnswer,
  encodeReply,
  exceedsEnvoysLimit,
  type ModeOverride,
  unchanged,
  withDynamicMetadata,
} from "./wire/encode.ts";

/** Body and trailer messages that may queue while a step runs; Envoy sends none unless its own configuration says so. */
const queuedMessagesMax = 64;

type State =
  /** Nothing has been asked yet. */
  | "opened"
  /** A message is unanswered: steps are running, or a body is decoded or encoded. */
  | "running"
  /** The request's headers are answered, and a step waits for its body. */
  | "awaiting-request-body"
  /** The request is answered; a response handler can still run. */
  | "awaiting-response"
  /** The response's headers are answered, and a step waits for its body. */
  | "awaiting-response-body"
  /** The stream has been ended, by us or by Envoy. */
  | "ended";

/** Messages that no step asks for in a chain of headers-only steps. */
type UnaskedPhase = Exclude<Phase, "request-headers" | "response-headers">;

/** Why nothing of the exchange is left to be done. */
type Over = "replied" | "nothing-left";

export class Exchange implements StreamHandler {
  readonly #host: KernelHost;
  readonly #metadata: StreamMetadata;
  readonly #sink: StreamSink;
  readonly #id: string;
  readonly #forget: () => void;
  #state: State = "opened";
  #end: ExchangeEnd = "gone";
  #halfClosed = false;
  /** A promise is pending: the run and its generation cannot be let go of yet. */
  #pending = false;
  /** When the message under way must have been answered, on the monotonic clock. */
  #deadlineMs = 0;
  #queued: UnaskedPhase[] = [];
  #modes: ModesInForce;
  /** The body that is waited for, or was last. */
  #expected: ExpectedBody | undefined;
  /** Directions whose whole body has come. */
  #taken: readonly Direction[] = [];
  #response: readonly HeaderEntry[] = [];
  /** The state of the shared metadata that Envoy was told. */
  #toldRevision = -1;
  #generation: Generation | undefined;
  #generationNumber: number | undefined;
  #run: ExchangeRun | undefined;
  #request: ReceivedRequest | undefined;
  #chain: Chain | undefined;

  constructor(host: KernelHost, metadata: StreamMetadata, sink: StreamSink, forget: () => void) {
    this.#host = host;
    this.#metadata = metadata;
    this.#sink = sink;
    this.#forget = forget;
    this.#id = host.newId();
    this.#modes = { requestBody: "none", responseHeaders: host.envoy.responseHeaders === "sent" ? "send" : "skip", responseBody: "none" };
    host.counters.opened();
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
      case "opened":
      case "awaiting-response":
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
    if (state === "awaiting-request-body" || state === "awaiting-response-body") this.#end = "body-not-sent";
    this.#state = "ended";
    this.#host.counters.closed(this.#end);
    this.#forget();
    this.#letGo();
  }

  /** The grace period is over. */
  abandon(): void {
    if (this.#state !== "ended") this.#fail("unavailable", "the engine is shutting down");
  }

  drained(): void {
    // Answers are few, and Envoy waits for each of them: nothing waits for room.
  }

  #take(incoming: Incoming): void {
    const { phase } = incoming;
    if (this.#state === "ended" || phase === "unknown") return;
    if (incoming.observed) return this.#host.counters.observed();
    if (this.#state !== "running") this.#deadlineMs = this.#host.monotonicMs() + messageBudgetMs(this.#host.envoy.messageTimeoutMs);
    const { configured } = incoming;
    if (configured !== undefined) this.#modes = { ...this.#modes, requestBody: configured.request, responseBody: configured.response };
    switch (phase) {
      case "request-headers":
        return this.#state === "opened" ? this.#startRequest(incoming) : this.#refuse("unexpected-message");
      case "response-headers":
        return this.#takeResponse(incoming);
      case "request-body":
        return this.#takeData("request", incoming.body);
      case "response-body":
        return this.#takeData("response", incoming.body);
      case "request-trailers":
        return this.#state === "awaiting-request-body" ? this.#refuseBody("body-missing") : this.#takeUnasked(phase);
      case "response-trailers":
        return this.#state === "awaiting-response-body" ? this.#takeTrailersForBody() : this.#takeUnasked(phase);
      default:
        return phase satisfies never;
    }
  }

  #startRequest(incoming: Incoming): void {
    this.#state = "running";
    const { envoy, generations } = this.#host;
    const identity = routeIdentity(envoy.identity, incoming.attributes, this.#metadata);
    const routeName = identity.kind === "route" ? identity.name : "";
    const request = receivedRequest(incoming, { id: this.#id, time: this.#host.now(), routeName });
    this.#request = request;
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
        return this.#finish(unchanged["request-headers"]);
      case "chain":
        return this.#runRequest(target.chain, request, generation.number);
      default:
        return target satisfies never;
    }
  }

  #runRequest(chain: Chain, request: ReceivedRequest, generation: number): void {
    this.#chain = chain;
    const { headers } = request;
    if (!chain.rawPath && !isNormalPath(receivedText(headers, ":method"), receivedText(headers, ":path"))) {
      return this.#refuse("path-not-normal");
    }
    const run = this.#host.startRun(chain, request, generation);
    this.#run = run;
    // Known before anything has reached the upstream, so said before it does.
    if (run.wantsResponseBody() && !this.#canHave("response")) return this.#refuse("body-not-sent");
    this.#proceed(run.runRequest(this.#deadlineMs), ({ changes }) => {
      const override = run.wantsResponse() ? this.#override("response") : undefined;
      this.#answerRequest(run, encodeHeadersAnswer("request-headers", changes, override));
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
    this.#response = incoming.headers;
    this.#proceed(run.runResponse(receivedResponse(incoming), this.#deadlineMs), ({ changes }) => {
      this.#finish(encodeHeadersAnswer("response-headers", changes, undefined));
    });
  }

  /** A step waits for the body of a direction: its headers are answered with the wish for it, or the exchange is refused. */
  #awaitBody({ phase: direction, changes }: Extract<RunOutcome, { readonly kind: "needs-body" }>): void {
    const expected = this.#expect(direction);
    if ("fault" in expected) return this.#refuseBody(expected.fault);
    // A body that comes before it is asked for need not be whole.
    if (this.#queued.some((phase) => phase.startsWith(direction))) return this.#refuse("unexpected-message");
    this.#expected = expected;
    this.#state = `awaiting-${direction}-body`;
    this.#sink.send(encodeHeadersAnswer(`${direction}-headers`, changes, this.#override(`${direction}-body`)));
    for (const phase of this.#queued.splice(0)) this.#takeUnasked(phase);
  }

  #expect(direction: Direction): ExpectedBody | BodyFault {
    if (!this.#canHave(direction)) return { fault: "body-not-sent" };
    const headers = direction === "request" ? (this.#request?.headers ?? []) : this.#response;
    return expectBody(direction, headers, this.#chain?.bodyBytesMax ?? this.#host.envoy.bodyBytesMax);
  }

  /**
   * Whether Envoy sends a body whole: it is configured to, or obeys when it is asked. Where it is configured to send pieces, an override that it
   * ignores could not be told from one that it obeys, and the first piece would pass for the whole.
   */
  #canHave(direction: Direction): boolean {
    const mode = this.#modes[`${direction}Body`];
    return mode === "buffered" || (mode === "none" && this.#host.envoy.allowModeOverride);
  }

  #takeData(direction: Direction, bytes: Uint8Array): void {
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
        else this.#finish(answer);
      }),
    );
  }

  /** HEADERS and trailers without data: the headers have left, so an answer to trailers has nothing to say (measured). */
  #takeTrailersForBody(): void {
    const run = this.#run;
    if (run === undefined) return this.#refuse("unexpected-message");
    this.#state = "running";
    this.#proceed(run.resumeWithoutBody(this.#deadlineMs), () => this.#finish(unchanged["response-trailers"]));
  }

  /** The engine answers in place of the body's step; the steps before it see that. */
  #refuseBody(code: FailureCode): void {
    const run = this.#run;
    if (run === undefined) return this.#refuse(code);
    this.#state = "running";
    this.#proceed(run.refuse(code, this.#deadlineMs), () => this.#refuse(code));
  }

  /** Body and trailers that no step asked for: Envoy's own configuration sends them. They pass, once the headers are answered. */
  #takeUnasked(phase: UnaskedPhase): void {
    switch (this.#state) {
      case "opened":
        return this.#refuse("request-headers-missing");
      case "running":
        if (this.#queued.length >= queuedMessagesMax) return this.#refuse("unexpected-message");
        this.#queued.push(phase);
        return;
      case "awaiting-request-body":
        return this.#refuse("body-not-sent");
      case "awaiting-response-body":
        // The end of the request's trailers may still come.
        this.#sink.send(unchanged[phase]);
        return;
      case "awaiting-response":
        if (phase === "response-body" || phase === "response-trailers") return this.#refuse("response-headers-missing");
        this.#sink.send(unchanged[phase]);
        return;
      case "ended":
        return;
      default:
        return this.#state satisfies never;
    }
  }

  /** Goes on when a pass of the loop has come to its end, now or later. */
  #proceed(outcome: RunOutcome | Promise<RunOutcome>, done: (outcome: Continued) => void): void {
    this.#settle(outcome, (settled) => this.#conclude(settled, done));
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

  #gone(): void {
    this.#end = "gone";
    this.#fail("unavailable", "the client is gone");
  }

  /** The rest of the body never comes: what waits for it does not run. */
  #bodyNotSent(direction: Direction): void {
    this.#end = "body-not-sent";
    this.#fail("unavailable", "the body that a step waits for was not sent");
    this.#host.bodyNotSent({ ...this.#event(), direction });
  }

  #answerRequest(run: ExchangeRun, answer: Uint8Array): void {
    this.#end = "continued";
    if (!run.wantsResponse()) return this.#finish(answer);
    this.#state = "awaiting-response";
    this.#sink.send(this.#withMetadata(answer));
    for (const phase of this.#queued.splice(0)) this.#takeUnasked(phase);
  }

  /** The last answer: nothing of the chain can run any more. */
  #finish(answer: Uint8Array): void {
    const answers = [this.#withMetadata(answer), ...this.#queued.splice(0).map((phase) => unchanged[phase])];
    const last = answers.pop();
    for (const one of answers) this.#sink.send(one);
    this.#endOk("nothing-left", last);
  }

  #reply(reply: FinalReply, cause?: unknown): void {
    this.#end = reply.step === undefined ? "failed" : "replied";
    this.#endOk("replied", this.#withMetadata(encodeReply(reply)));
    this.#host.replied({ ...this.#event(), reply, cause });
  }

  /** The last answer of a direction tells Envoy about the exchange, where the settings say so and there is something new. */
  #withMetadata(answer: Uint8Array): Uint8Array {
    const { engineMetadata } = this.#host;
    const source = this.#run?.metadata;
    const revision = source?.revision ?? 0;
    if (engineMetadata === undefined || revision === this.#toldRevision) return answer;
    this.#toldRevision = revision;
    return withDynamicMetadata(answer, { [engineNamespace]: engineMetadata(this.#id, source) });
  }

  #event() {
    return { id: this.#id, request: this.#request, chain: this.#chain?.name, generation: this.#generationNumber };
  }

  /** The engine's own refusal. Whatever goes wrong on the way there ends the stream with an error, which Envoy turns into a 500. */
  #refuse(code: FailureCode, cause?: unknown): void {
    if (this.#hasEnded()) return this.#letGo();
    try {
      this.#reply(engineRefusal(code, this.#id, isGrpc(this.#request?.headers ?? [])), cause);
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
    this.#sink.fail(status, text);
    this.#letGo();
  }

  /** The only place that ends with status OK: after a reply, or when no message is unanswered and no handler can still run. */
  #endOk(over: Over, lastAnswer?: Uint8Array): void {
    if (over === "nothing-left" && (this.#pending || this.#state.endsWith("-body"))) {
      throw new Error(`OK in state ${this.#state} would let the exchange pass unprocessed`);
    }
    this.#state = "ended";
    if (lastAnswer === undefined) this.#sink.end();
    else this.#sink.sendAndEnd(lastAnswer);
    this.#letGo();
  }

  /** Lets go of run and generation as soon as nothing of the chain can run any more, not when the stream ends: a websocket lasts hours. */
  #letGo(): void {
    if (this.#pending) return this.#run?.abort();
    this.#run?.close();
    this.#run = undefined;
    this.#generation?.unpin();
    this.#generation = undefined;
  }

  /** What the answer to a headers message asks of Envoy. */
  #override(awaited: Awaited): ModeOverride | undefined {
    if (!this.#host.envoy.allowModeOverride) return undefined;
    const override = modeOverride(awaited, this.#modes, {
      response: this.#run?.wantsResponse() === true,
      responseBody: this.#run?.wantsResponseBody() === true,
    });
    this.#modes = override ?? this.#modes;
    return override;
  }
}
