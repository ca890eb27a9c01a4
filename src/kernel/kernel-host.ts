import type { EnvoyPromises } from "../config/types.ts";
import type { GenerationHolder } from "../generations/holder.ts";
import type { Chain } from "../worker/chain.ts";
import type { ReceivedRequest } from "../worker/received.ts";
import type { FinalReply } from "../worker/reply.ts";
import type { ExchangeRun } from "../worker/run.ts";
import type { EngineMetadata } from "./engine-metadata.ts";
import type { ExchangeCounters, ExchangeEnd } from "./exchange-counters.ts";
import type { ExchangeRecorder } from "./exchange-recorder.ts";
import type { StreamMetadata } from "./transport.ts";

/** What the kernel needs from outside; the same for every exchange. */
export interface KernelHost {
  readonly generations: GenerationHolder;
  readonly envoy: EnvoyPromises;
  readonly counters: ExchangeCounters;
  /** What Envoy is told about an exchange; undefined where nobody wants it. */
  readonly engineMetadata: EngineMetadata | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds from an arbitrary start, never going back; the clock of the runs' deadlines. */
  monotonicMs(): number;
  newId(): string;
  /** Whether a new exchange is to be refused because the process does not keep up; asked once for each that has a chain. */
  refusesNew(): boolean;
  /** Writes down every exchange. Absent where nobody asks for that. */
  readonly recorder?: ExchangeRecorder;
  startRun(chain: Chain, received: ReceivedRequest, generation: number, metadata: StreamMetadata): ExchangeRun;
  /** A policy or the engine itself answered in place of the upstream. */
  replied(event: ReplyEvent): void;
  /** The stream ended while a step waited for a body: nobody is there to be answered. */
  bodyNotSent(event: BodyNotSentEvent): void;
  /** A piece of a body that passes in pieces has come. */
  piece(bytes: number): void;
  /** The stream is gone: once for every exchange, after everything else about it. */
  ended(event: EndedEvent): void;
}

interface ExchangeEvent {
  readonly id: string;
  /** Undefined when the exchange did not start with a request. */
  readonly request: ReceivedRequest | undefined;
  readonly chain: string | undefined;
  readonly generation: number | undefined;
}

export interface ReplyEvent extends ExchangeEvent {
  readonly reply: FinalReply;
  /** Since the request came, milliseconds. */
  readonly durationMs: number;
  /** Set when the engine itself failed. */
  readonly cause: unknown;
}

export interface BodyNotSentEvent extends ExchangeEvent {
  /** Whose body it was. */
  readonly direction: "request" | "response";
}

/** Good for as long as the call takes. */
export interface EndedEvent extends ExchangeEvent {
  readonly end: ExchangeEnd;
  /** Of the stream: Envoy's trace context is in it. */
  readonly metadata: StreamMetadata;
  /** How a policy or the engine itself answered in place of the upstream; undefined when nobody did. */
  readonly reply: FinalReply | undefined;
  /** From the stream's start to its end, milliseconds: the upstream's time is a part of it where the response was asked for. */
  readonly durationMs: number;
}
