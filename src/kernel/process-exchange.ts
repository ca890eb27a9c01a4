/**
 * One ext_proc stream is one exchange. All branching on the protocol is here; what is called from here is pure or the worker.
 *
 * What must hold whatever happens (measured on Envoy 1.36.2): every message gets at most one answer, nothing follows a reply, and status OK
 * is written only when nothing is unanswered and nothing can still run, because OK lets the rest of the exchange pass unprocessed.
 */
import { messageBudgetMs } from "../config/message-budget.ts";
import type { EnvoyPromises } from "../config/types.ts";
import type { FailureCode } from "../errors.ts";
import type { Generation } from "../generations/generation.ts";
import type { GenerationHolder } from "../generations/holder.ts";
import type { Chain } from "../worker/chain.ts";
import { decodeText, type HeaderChanges, type HeaderEntry, noChanges } from "../worker/header-store.ts";
import type { ReceivedRequest } from "../worker/received.ts";
import { engineReply, type FinalReply, finalReply, isGrpc, replyView } from "../worker/reply.ts";
import type { ExchangeRun, RunOutcome } from "../worker/run.ts";
import { withReplacedBody } from "./body-headers.ts";
import { contentCoding, declaredLength, decodeGzip, encodeGzip } from "./content-coding.ts";
import type { ExchangeCounters, ExchangeEnd } from "./exchange-counters.ts";
import { isNormalPath } from "./normal-path.ts";
import { type Awaited, type ModesInForce, modeOverride } from "./processing-mode.ts";
import { routeIdentity } from "./route-identity.ts";
import { routeTarget } from "./route-table.ts";
import type { OpenStream, StreamHandler, StreamMetadata, StreamSink, TransportCapabilities } from "./transport.ts";
import { decodeIncoming, type Incoming, type Phase } from "./wire/decode.ts";
import { encodeBodyAnswer, encodeHeadersAnswer, encodeReply, type ModeOverride, unchanged } from "./wire/encode.ts";

/** What the kernel needs from outside; the same for every exchange. */
export interface KernelHost {
  readonly generations: GenerationHolder;
  readonly envoy: EnvoyPromises;
  readonly capabilities: TransportCapabilities;
  readonly counters: ExchangeCounters;
  /** Milliseconds since the epoch. */
  now(): number;
  newId(): string;
  startRun(chain: Chain, received: ReceivedRequest, generation: number): ExchangeRun;
  /** A policy or the engine itself answered in place of the upstream. */
  replied(event: ReplyEvent): void;
}

export interface ReplyEvent {
  readonly reply: FinalReply;
  readonly id: string;
  /** Undefined when the exchange did not start with a request. */
  readonly request: ReceivedRequest | undefined;
  readonly chain: string | undefined;
  readonly generation: number | undefined;
  /** Set when the engine itself failed. */
  readonly cause: unknown;
}

/** Body and trailer messages that may queue while a step runs; Envoy sends none unless its own configuration says so. */
const queuedMessagesMax = 64;

export interface Kernel {
  readonly open: OpenStream;
  /** The grace period is over: what has nothing left to run ends OK, everything else UNAVAILABLE. */
  abandon(): void;
}

export function createKernel(host: KernelHost): Kernel {
  const exchanges = new Set<Exchange>();
  return {
    open: (metadata, sink) => {
      const exchange = new Exchange(host, metadata, sink, () => exchanges.delete(exchange));
      exchanges.add(exchange);
      return exchange;
    },
    abandon: () => {
      for (const exchange of exchanges) exchange.abandon();
    },
  };
}

type State =
  /** Nothing has been asked yet. */
  | "opened"
  /** A headers message is unanswered: steps are running. */
  | "running"
  /** The request's headers are answered, and a step waits for its body. */
  | "awaiting-request-body"
  /** The request is answered; a response handler can still run. */
  | "awaiting-response"
  /** The response's headers are answered, and a step waits for its body. */
  | "awaiting-response-body"
  /** Nothing of the chain can run any more; what Envoy still asks is answered with "unchanged". */
  | "finished"
  /** A reply was sent: nothing may follow it. */
  | "replied"
  /** The stream has been ended, by us or by Envoy. */
  | "ended";

/** Messages that no step asks for in a chain of headers-only steps. */
type UnaskedPhase = Exclude<Phase, "request-headers" | "response-headers">;

class Exchange implements StreamHandler {
  readonly #host: KernelHost;
  readonly #metadata: StreamMetadata;
  readonly #sink: StreamSink;
  readonly #id: string;
  readonly #forget: () => void;
  #state: State = "opened";
  #end: ExchangeEnd = "gone";
  #halfClosed = false;
  /** A step's promise is pending: the run and its generation cannot be let go of yet. */
  #pending = false;
  #queued: UnaskedPhase[] = [];
  #modes: ModesInForce;
  /** Directions whose whole body has come. */
  #taken: readonly Direction[] = [];
  #response: readonly HeaderEntry[] = [];
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
      case "awaiting-response-body":
        // The rest of the body never comes: what waits for it does not run.
        return this.#gone();
      case "opened":
      case "awaiting-response":
      case "finished":
        // Envoy asks nothing more: a local reply of its own, a client that left, or simply the end.
        this.#state = "finished";
        return this.#endOk();
      case "replied":
        return this.#endOk();
      case "ended":
        return;
      default:
        return this.#state satisfies never;
    }
  }

  closed(): void {
    this.#state = "ended";
    this.#host.counters.closed(this.#end);
    this.#forget();
    this.#letGo();
  }

  abandon(): void {
    switch (this.#state) {
      case "finished":
      case "replied":
        return this.#endOk();
      case "opened":
      case "running":
      case "awaiting-request-body":
      case "awaiting-response":
      case "awaiting-response-body":
        return this.#fail("unavailable", "the engine is shutting down");
      case "ended":
        return;
      default:
        return this.#state satisfies never;
    }
  }

  drained(): void {
    // Answers to headers are small and few: nothing waits for room.
  }

  #take(incoming: Incoming): void {
    const { phase } = incoming;
    if (this.#hasEnded() || phase === "unknown") return;
    if (incoming.observed) return this.#host.counters.observed();
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
    const request = this.#received(incoming, identity.kind === "route" ? identity.name : "");
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
        return this.#answer(encodeHeadersAnswer("request-headers", noChanges, this.#override("nothing-from-request")), "finished");
      case "chain":
        return this.#runRequest(target.chain, request, generation.number);
      default:
        return target satisfies never;
    }
  }

  #received(incoming: Incoming, routeName: string): ReceivedRequest {
    const address = incoming.attributes?.get("source.address");
    const port = incoming.attributes?.get("source.port");
    return {
      id: this.#id,
      time: this.#host.now(),
      headers: incoming.headers,
      hasBody: !incoming.endOfStream,
      upgrade: isUpgrade(incoming),
      route: { name: routeName, metadata: routeMetadata(incoming) },
      source: { address: typeof address === "string" ? address : undefined, port: typeof port === "number" ? port : undefined },
    };
  }

  #runRequest(chain: Chain, request: ReceivedRequest, generation: number): void {
    this.#chain = chain;
    if (!chain.rawPath && !isNormalPath(received(request, ":method"), received(request, ":path"))) return this.#refuse("path-not-normal");
    const run = this.#host.startRun(chain, request, generation);
    this.#run = run;
    // Known before anything has reached the upstream, so said before it does.
    if (run.wantsResponseBody() && !this.#canHave("response")) return this.#refuse("body-not-sent");
    this.#settle(run.runRequest(this.#budgetMs()), ({ changes }) => {
      const next = this.#afterRequest(run);
      this.#answer(
        encodeHeadersAnswer("request-headers", changes, this.#override(next === "finished" ? "nothing-from-request" : "response")),
        next,
      );
    });
  }

  #afterRequest(run: ExchangeRun): "awaiting-response" | "finished" {
    this.#end = "continued";
    return run.wantsResponse() ? "awaiting-response" : "finished";
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
      case "finished":
        this.#sink.send(unchanged["response-headers"]);
        return;
      case "replied":
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
    const outcome = run.runResponse({ headers: incoming.headers, hasBody: !incoming.endOfStream }, this.#budgetMs());
    this.#settle(outcome, ({ changes }) => {
      this.#answer(encodeHeadersAnswer("response-headers", changes, this.#override("nothing-from-response")), "finished");
    });
  }

  /** A step waits for the body of a direction: its headers are answered with the wish for it, or the exchange is refused. */
  #awaitBody(direction: Direction): void {
    const fault = this.#bodyFault(direction);
    if (fault !== undefined) return this.#refuseBody(fault);
    // A body that comes before it is asked for need not be whole.
    if (this.#queued.some((phase) => phase.startsWith(direction))) return this.#refuse("unexpected-message");
    this.#state = `awaiting-${direction}-body`;
    this.#sink.send(encodeHeadersAnswer(`${direction}-headers`, noChanges, this.#override(`${direction}-body`)));
    for (const phase of this.#queued.splice(0)) this.#takeUnasked(phase);
  }

  /** Why the body that a step waits for cannot be had, as far as the headers tell. */
  #bodyFault(direction: Direction): FailureCode | undefined {
    if (!this.#canHave(direction)) return "body-not-sent";
    const headers = this.#receivedHeaders(direction);
    if (contentCoding(headers) === "unknown") return `${direction}-coding`;
    return (declaredLength(headers) ?? 0) > this.#bodyBytesMax() ? `${direction}-too-large` : undefined;
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
    if (this.#state === `awaiting-${direction}-body`) return this.#takeBody(direction, bytes);
    // Newer Envoys end a body twice; but data behind the whole of it says that Envoy does not send it whole.
    if (bytes.length > 0 && this.#taken.includes(direction)) return this.#refuse("body-not-sent");
    this.#takeUnasked(`${direction}-body`);
  }

  #takeBody(direction: Direction, bytes: Uint8Array): void {
    this.#state = "running";
    this.#taken = [...this.#taken, direction];
    if (bytes.length > this.#bodyBytesMax()) return this.#refuseBody(`${direction}-too-large`);
    if (contentCoding(this.#receivedHeaders(direction)) === "identity") return this.#resume(direction, bytes);
    this.#wait(
      decodeGzip(bytes, this.#bodyBytesMax()),
      (decoded) => this.#resume(direction, decoded),
      (cause) => this.#refuseBody(isTooLarge(cause) ? `${direction}-too-large` : `${direction}-coding`),
    );
  }

  #resume(direction: Direction, body: Uint8Array): void {
    const run = this.#run;
    if (run === undefined) return this.#refuse("unexpected-message");
    this.#settle(run.resume(body, this.#budgetMs()), (outcome) => this.#answerBody(run, direction, body, outcome));
  }

  #answerBody(run: ExchangeRun, direction: Direction, decoded: Uint8Array, { changes, body: replaced }: Continued): void {
    const coding = contentCoding(this.#receivedHeaders(direction));
    // Whoever changes content-encoding answers for it: the bytes go as the steps saw them.
    const asSeen = changesCoding(changes);
    const body = replaced ?? (coding === "gzip" && asSeen ? decoded : undefined);
    const answer = (bytes: Uint8Array | undefined): void => {
      const next = direction === "request" ? this.#afterRequest(run) : "finished";
      const fitting = bytes === undefined ? changes : withReplacedBody(this.#receivedHeaders(direction), changes, bytes);
      this.#answer(encodeBodyAnswer(`${direction}-body`, fitting, bytes), next);
    };
    if (body !== undefined && body.length > this.#bodyBytesMax()) {
      return this.#refuse("policy-failed", new RangeError("the body that a step has set is larger than the body limit"));
    }
    if (body === undefined || coding !== "gzip" || asSeen) return answer(body);
    this.#wait(encodeGzip(body), answer, (cause) => this.#refuse("internal-error", cause));
  }

  /** HEADERS and trailers without data (measured): the step runs without a body, and headers can no longer be changed. */
  #takeTrailersForBody(): void {
    const run = this.#run;
    if (run === undefined) return this.#refuse("unexpected-message");
    this.#state = "running";
    this.#settle(run.resume(undefined, this.#budgetMs()), ({ changes }) => {
      if (changes.remove.length > 0 || changes.set.length > 0) {
        return this.#refuse(
          "policy-failed",
          new TypeError("a response of headers and trailers without data: its headers cannot be changed any more"),
        );
      }
      this.#answer(unchanged["response-trailers"], "finished");
    });
  }

  /** The engine answers in place of the body's step; the steps before it see that. */
  #refuseBody(code: FailureCode): void {
    const run = this.#run;
    if (run === undefined) return this.#refuse(code);
    this.#state = "running";
    this.#settle(run.refuse(code, this.#budgetMs()), () => this.#refuse(code));
  }

  #receivedHeaders(direction: Direction): readonly HeaderEntry[] {
    return direction === "request" ? (this.#request?.headers ?? []) : this.#response;
  }

  #bodyBytesMax(): number {
    return this.#chain?.bodyBytesMax ?? this.#host.envoy.bodyBytesMax;
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
      case "finished":
        this.#sink.send(unchanged[phase]);
        return;
      case "replied":
      case "ended":
        return;
      default:
        return this.#state satisfies never;
    }
  }

  /** Goes on when a pass of the loop has come to its end, now or later. */
  #settle(outcome: RunOutcome | Promise<RunOutcome>, proceed: (outcome: Continued) => void): void {
    if (!(outcome instanceof Promise)) return this.#conclude(outcome, proceed);
    this.#wait(
      outcome,
      (settled) => this.#conclude(settled, proceed),
      (cause) => this.#refuse("internal-error", cause),
    );
  }

  /** Goes on when a promise has settled, unless the exchange has ended or was refused meanwhile. */
  #wait<Value>(promise: Promise<Value>, then: (value: Value) => void, failed: (cause: unknown) => void): void {
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
    promise.then(
      (value) => goOn(() => then(value)),
      (cause: unknown) => goOn(() => failed(cause)),
    );
  }

  #conclude(outcome: RunOutcome, proceed: (outcome: Continued) => void): void {
    // Envoy has half-closed with its question unanswered, so this must not be OK, although it no longer listens.
    if (this.#halfClosed) return this.#gone();
    switch (outcome.kind) {
      case "continue":
        return exceedsEnvoysLimit(outcome.changes) ? this.#refuse("mutation-limit") : proceed(outcome);
      case "needs-body":
        return this.#awaitBody(outcome.phase);
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

  #answer(answer: Uint8Array, next: "awaiting-response" | "finished"): void {
    this.#state = next;
    const queued = this.#queued.splice(0);
    if (next === "awaiting-response" || queued.length > 0 || !this.#mayEndNow()) {
      this.#sink.send(answer);
      for (const phase of queued) this.#takeUnasked(phase);
      if (next === "finished") this.#letGo();
    } else {
      this.#endOk(answer);
    }
  }

  #reply(reply: FinalReply, cause?: unknown): void {
    this.#end = reply.step === undefined ? "failed" : "replied";
    const answer = encodeReply(reply);
    this.#state = "replied";
    if (this.#mayEndNow()) this.#endOk(answer);
    else this.#sink.send(answer);
    this.#letGo();
    this.#host.replied({
      reply,
      id: this.#id,
      request: this.#request,
      chain: this.#chain?.name,
      generation: this.#generationNumber,
      cause,
    });
  }

  /** The engine's own refusal. Whatever goes wrong on the way there ends the stream with an error, which Envoy turns into a 500. */
  #refuse(code: FailureCode, cause?: unknown): void {
    if (this.#hasEnded()) return this.#letGo();
    try {
      this.#reply(refusal(code, this.#id, isGrpc(this.#request?.headers ?? [])), cause);
    } catch {
      // Told too late: nothing may follow a reply.
      if (!this.#hasEnded()) this.#fail("internal", "the engine failed");
    }
  }

  #hasEnded(): boolean {
    return this.#state === "ended" || this.#state === "replied";
  }

  #fail(status: "internal" | "unavailable", text: string): void {
    this.#state = "ended";
    this.#sink.fail(status, text);
    this.#letGo();
  }

  #mayEndNow(): boolean {
    return this.#halfClosed || !this.#host.capabilities.resetLimited;
  }

  /** The only place that ends with status OK: after a reply, or when no message is unanswered and no handler can still run. */
  #endOk(lastAnswer?: Uint8Array): void {
    if (this.#state !== "finished" && this.#state !== "replied") {
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

  #budgetMs(): number {
    return messageBudgetMs(this.#host.envoy.messageTimeoutMs);
  }

  /** What the answer to a headers message asks of Envoy. */
  #override(awaited: Awaited): ModeOverride | undefined {
    if (!this.#host.envoy.allowModeOverride) return undefined;
    // A stream that ends with this answer is asked nothing more.
    if (awaited.startsWith("nothing") && this.#mayEndNow()) return undefined;
    const run = this.#run;
    const wants = { response: run?.wantsResponse() === true, responseBody: run?.wantsResponseBody() === true };
    const override = modeOverride(awaited, this.#modes, wants);
    this.#modes = override ?? this.#modes;
    return override;
  }
}

type Direction = "request" | "response";
type Continued = Extract<RunOutcome, { readonly kind: "continue" }>;

/** RFC 9110 7.8 and 9.3.6, RFC 8441: a request after which both sides speak another protocol. */
function isUpgrade({ headers }: Incoming): boolean {
  return headers.some(({ name, value }) => name === "upgrade" || (name === ":method" && decodeText(value) === "CONNECT"));
}

const isTooLarge = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE";

const changesCoding = ({ set, remove }: HeaderChanges): boolean =>
  remove.includes("content-encoding") || set.some(({ name }) => name === "content-encoding");

/** A reply of the engine's own that no response handler sees, because no chain is known or none of its steps has run. */
function refusal(code: FailureCode, id: string, grpc: boolean): FinalReply {
  const reply = engineReply(code, id, grpc);
  return finalReply(reply, replyView(reply), id, grpc);
}

function received(request: ReceivedRequest, pseudoHeader: ":method" | ":path"): string | undefined {
  const entry = request.headers.find(({ name }) => name === pseudoHeader);
  return entry === undefined ? undefined : decodeText(entry.value);
}

const routeMetadataAttribute = /^xds\.route_metadata\.filter_metadata\['policy\.engine'\]\['([^']+)'\]$/;

function routeMetadata(incoming: Incoming): Readonly<Record<string, unknown>> {
  const metadata: Record<string, unknown> = {};
  for (const [name, value] of incoming.attributes ?? []) {
    const key = routeMetadataAttribute.exec(name)?.[1];
    if (key !== undefined && key !== "__proto__") metadata[key] = value;
  }
  return metadata;
}

/** Envoy's header map takes at most 100 headers by default, and 101 removals or additions in one message are a 500. */
function exceedsEnvoysLimit(changes: HeaderChanges): boolean {
  return changes.remove.length > 100 || changes.set.length > 100;
}
