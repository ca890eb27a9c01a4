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
import { decodeText, type HeaderChanges, noChanges } from "../worker/header-store.ts";
import { Journal } from "../worker/journal.ts";
import { ResponseView } from "../worker/message-view.ts";
import type { ReceivedRequest } from "../worker/received.ts";
import { engineReply, type FinalReply, finalReply, isGrpc, replyHeaders } from "../worker/reply.ts";
import type { ExchangeRun, RunOutcome } from "../worker/run.ts";
import type { ExchangeCounters, ExchangeEnd } from "./exchange-counters.ts";
import { isNormalPath } from "./normal-path.ts";
import { routeIdentity } from "./route-identity.ts";
import { routeTarget } from "./route-table.ts";
import type { OpenStream, StreamHandler, StreamMetadata, StreamSink, TransportCapabilities } from "./transport.ts";
import { decodeIncoming, type Incoming, type Phase } from "./wire/decode.ts";
import { encodeHeadersAnswer, encodeReply, type ModeOverride, unchanged } from "./wire/encode.ts";

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
  /** The request is answered; a response handler can still run. */
  | "awaiting-response"
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
  #generation: Generation | undefined;
  #generationNumber: number | undefined;
  #run: ExchangeRun | undefined;
  #request: ReceivedRequest | undefined;
  #chain: string | undefined;

  constructor(host: KernelHost, metadata: StreamMetadata, sink: StreamSink, forget: () => void) {
    this.#host = host;
    this.#metadata = metadata;
    this.#sink = sink;
    this.#forget = forget;
    this.#id = host.newId();
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
      case "awaiting-response":
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
    switch (phase) {
      case "request-headers":
        return this.#state === "opened" ? this.#startRequest(incoming) : this.#refuse("unexpected-message");
      case "response-headers":
        return this.#takeResponse(incoming);
      case "request-body":
      case "request-trailers":
      case "response-body":
      case "response-trailers":
        return this.#takeUnasked(phase);
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
        return this.#answer(encodeHeadersAnswer("request-headers", noChanges, this.#modeOverride("finished")), "finished");
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
      route: { name: routeName, metadata: routeMetadata(incoming) },
      source: { address: typeof address === "string" ? address : undefined, port: typeof port === "number" ? port : undefined },
    };
  }

  #runRequest(chain: Chain, request: ReceivedRequest, generation: number): void {
    this.#chain = chain.name;
    if (!chain.rawPath && !isNormalPath(received(request, ":method"), received(request, ":path"))) return this.#refuse("path-not-normal");
    const run = this.#host.startRun(chain, request, generation);
    this.#run = run;
    this.#settle(run.runRequest(this.#budgetMs()), (changes) => {
      this.#end = "continued";
      const next = run.wantsResponse() ? "awaiting-response" : "finished";
      this.#answer(encodeHeadersAnswer("request-headers", changes, this.#modeOverride(next)), next);
    });
  }

  #takeResponse(incoming: Incoming): void {
    switch (this.#state) {
      case "opened":
        return this.#refuse("request-headers-missing");
      case "running":
        return this.#refuse("unexpected-message");
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
    this.#settle(run.runResponse({ headers: incoming.headers }, this.#budgetMs()), (changes) => {
      this.#answer(encodeHeadersAnswer("response-headers", changes, undefined), "finished");
    });
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
  #settle(outcome: RunOutcome | Promise<RunOutcome>, proceed: (changes: HeaderChanges) => void): void {
    if (!(outcome instanceof Promise)) return this.#conclude(outcome, proceed);
    this.#pending = true;
    outcome
      .then((settled) => {
        this.#pending = false;
        // Ended or refused meanwhile: the run was only kept until its last step had come to an end.
        if (this.#state !== "running") return this.#letGo();
        this.#conclude(settled, proceed);
      })
      .catch((cause: unknown) => {
        this.#pending = false;
        this.#refuse("internal-error", cause);
      });
  }

  #conclude(outcome: RunOutcome, proceed: (changes: HeaderChanges) => void): void {
    // Envoy has half-closed with its question unanswered, so this must not be OK, although it no longer listens.
    if (this.#halfClosed) return this.#gone();
    switch (outcome.kind) {
      case "continue":
        return exceedsEnvoysLimit(outcome.changes) ? this.#refuse("mutation-limit") : proceed(outcome.changes);
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
    this.#host.replied({ reply, id: this.#id, request: this.#request, chain: this.#chain, generation: this.#generationNumber, cause });
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

  /** Asks Envoy for exactly what the chain can still use; undefined when it does that anyway. */
  #modeOverride(next: "awaiting-response" | "finished"): ModeOverride | undefined {
    const { allowModeOverride, responseHeaders } = this.#host.envoy;
    const wanted = next === "awaiting-response" ? "send" : "skip";
    if (!allowModeOverride || wanted === (responseHeaders === "sent" ? "send" : "skip")) return undefined;
    // A stream that ends with this answer is asked nothing more.
    if (wanted === "skip" && this.#mayEndNow()) return undefined;
    return { responseHeaders: wanted };
  }
}

/** A reply of the engine's own that no response handler sees, because no chain is known or none of its steps has run. */
function refusal(code: FailureCode, id: string, grpc: boolean): FinalReply {
  const reply = engineReply(code, id, grpc);
  return finalReply(reply, new ResponseView({ headers: replyHeaders(reply) }, "reply", new Journal()), id, grpc);
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
