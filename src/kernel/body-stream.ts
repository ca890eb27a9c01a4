/**
 * One body in FULL_DUPLEX_STREAMED: it comes in pieces, passes what the steps have left behind for it, and leaves in pieces, which need not be the
 * same. Nothing of it may be answered before the headers are, and Envoy keeps no copy: what is not sent back is lost.
 */
import type { FailureCode } from "../errors.ts";
import type { BodyFlow, FlowFailure, Parts } from "../worker/body-flow.ts";
import { type HeaderChanges, HeaderStore } from "../worker/header-store.ts";
import { Journal } from "../worker/journal.ts";
import type { Eventually } from "../worker/promises.ts";
import type { ReceivedHeaders } from "../worker/received-headers.ts";
import { CodedFlow } from "./coded-flow.ts";
import { CodingError } from "./codings/coder.ts";
import type { Direction } from "./whole-body.ts";
import { encodeStreamedBody, encodeTrailersAnswer, exceedsEnvoysLimit } from "./wire/encode.ts";

/** What a body stream needs of its exchange. */
export interface BodyStreamHost {
  /** Whether an answer may be written: the transport's queue is not above its high mark. */
  hasRoom(): boolean;
  send(answer: Uint8Array): void;
  /** The last answer of this direction. */
  sendLast(answer: Uint8Array): void;
  /** The body cannot come to its end: a step has failed, or something else has. Nothing more of it is sent. */
  failed(failure: FlowFailure | StreamFault): void;
  /** A transform's promise has settled, and what had waited for it has been done. */
  settled(): void;
}

/** A failure that is not a step's. */
export interface StreamFault {
  readonly call?: never;
  readonly code: FailureCode;
  readonly cause: unknown;
}

interface Chunk {
  readonly kind: "chunk";
  readonly bytes: Uint8Array;
  readonly endOfStream: boolean;
}

/** A piece of the body as it comes, or what follows it. */
export type Piece = Chunk | { readonly kind: "trailers"; readonly headers: ReceivedHeaders };

/** What may wait here before Envoy is no longer listened to, bytes. */
const windowBytesMax = 256 * 1024;
/** What a piece counts for besides its bytes, so that empty ones cannot fill the memory. */
const overheadBytes = 1024;
/** The largest piece that is sent, bytes: what Envoy's documentation advises. Transforms get no larger one either: Envoy's may have many MiB. */
const pieceBytesMax = 64 * 1024;

export class BodyStream {
  readonly #direction: Direction;
  readonly #host: BodyStreamHost;
  readonly #waiting: Piece[] = [];
  #waitingBytes = 0;
  /** `held`: the headers are unanswered. `over`: the last answer has been sent, or none will be. */
  #state: "held" | "flowing" | "over" = "held";
  #busy = false;
  /** A piece of the body itself has come, maybe an empty one. */
  #hasData = false;
  /** Undefined: the body passes as it is. */
  #flow: BodyFlow | CodedFlow | undefined;
  /** Lets a body go on that is decoded and waits for room. */
  #roomAgain = (): void => {};

  constructor(direction: Direction, host: BodyStreamHost) {
    this.#direction = direction;
    this.#host = host;
  }

  /** Its last answer is still to come. */
  get isOpen(): boolean {
    return this.#state !== "over";
  }

  /** A transform's promise is pending, maybe after the end of the stream. */
  get isBusy(): boolean {
    return this.#busy;
  }

  /** Whether no more of it is to be read for now. */
  get isFull(): boolean {
    return this.#waitingBytes >= windowBytesMax;
  }

  /** The headers are answered. @param flow undefined: the body passes as it is */
  open(flow: BodyFlow | CodedFlow | undefined): void {
    this.#state = "flowing";
    this.#flow = flow;
    flow?.onFailure((failure) => this.#fail(failure));
    this.proceed();
  }

  take(piece: Piece): void {
    if (this.#state === "over") return;
    for (const part of piece.kind === "chunk" ? small(piece) : [piece]) {
      this.#waiting.push(part);
      this.#waitingBytes += sizeOf(part);
    }
    this.proceed();
  }

  /** Does what can be done now. */
  proceed(): void {
    if (this.#host.hasRoom()) this.#roomAgain();
    while (this.#state === "flowing" && !this.#busy && this.#host.hasRoom()) {
      const piece = this.#waiting.shift();
      if (piece === undefined) return;
      this.#waitingBytes -= sizeOf(piece);
      this.#pass(piece);
    }
  }

  /** Nothing more of it is passed or sent. */
  stop(): void {
    this.#state = "over";
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    if (this.#flow instanceof CodedFlow) this.#flow.close();
    this.#roomAgain();
  }

  #pass(piece: Piece): void {
    const flow = this.#flow;
    if (piece.kind === "trailers") {
      const trailers = new HeaderStore(piece.headers, new Journal());
      const sendLast = (parts: Parts): void => this.#sendTrailers(parts, trailers.takeChanges());
      if (flow instanceof CodedFlow) return this.#settle(this.#sendCoded(flow.end(trailers)), sendLast);
      return this.#settle(flow?.end(trailers) ?? [], sendLast);
    }
    this.#hasData = true;
    const { bytes, endOfStream } = piece;
    const send = (parts: Parts): void => (endOfStream ? this.#sendEnd(parts) : this.#send(parts));
    this.#settle(flow instanceof CodedFlow ? this.#passCoded(flow, bytes, endOfStream) : passPlain(flow, bytes, endOfStream), send);
  }

  async #passCoded(flow: CodedFlow, bytes: Uint8Array, endOfStream: boolean): Promise<Parts> {
    if (bytes.length > 0) await this.#sendCoded(flow.chunk(bytes));
    return endOfStream ? await this.#sendCoded(flow.end()) : [];
  }

  /** Each as soon as it is made, and the next one made when there is room: a few coded bytes may be many. Gives what cannot be sent yet. */
  async #sendCoded(coded: AsyncIterable<Uint8Array>): Promise<Parts> {
    for await (const part of coded) {
      if (this.#state !== "flowing") return [];
      if (!this.#hasData) return [part];
      this.#send([part]);
      if (this.#host.hasRoom()) continue;
      await new Promise<void>((resolve) => {
        this.#roomAgain = resolve;
      });
    }
    return [];
  }

  /** Goes on now or later, unless the body is over by then. */
  #settle(given: Eventually<Parts>, goOn: (parts: Parts) => void): void {
    if (!(given instanceof Promise)) {
      if (this.#state === "flowing") goOn(given);
      return;
    }
    this.#busy = true;
    given
      .then((parts) => {
        this.#busy = false;
        if (this.#state === "flowing") goOn(parts);
        this.proceed();
      })
      .catch((cause: unknown) => {
        this.#busy = false;
        this.#fail({ code: this.#codeOf(cause), cause });
      })
      .finally(() => this.#host.settled());
  }

  #codeOf(cause: unknown): FailureCode {
    if (!(cause instanceof CodingError)) return "internal-error";
    return cause.kind === "too-large" ? `${this.#direction}-too-large` : `${this.#direction}-coding`;
  }

  #send(parts: Parts): void {
    for (const part of parts.flatMap(pieces)) this.#host.send(encodeStreamedBody(`${this.#direction}-body`, part, "more-follows"));
  }

  #sendEnd(parts: Parts): void {
    const all = parts.flatMap(pieces);
    const last = all.pop() ?? new Uint8Array();
    this.#send(all);
    this.stop();
    this.#host.sendLast(encodeStreamedBody(`${this.#direction}-body`, last, "last"));
  }

  #sendTrailers(parts: Parts, changes: HeaderChanges): void {
    if (exceedsEnvoysLimit(changes)) return this.#fail({ code: "mutation-limit", cause: undefined });
    // Envoy takes a piece of a body for a stray message where none has come (measured).
    if (parts.length > 0 && !this.#hasData) {
      return this.#fail({ code: "policy-failed", cause: new TypeError("a message of trailers without data cannot be given a body") });
    }
    this.#send(parts);
    this.stop();
    this.#host.sendLast(encodeTrailersAnswer(`${this.#direction}-trailers`, changes));
  }

  #fail(failure: FlowFailure | StreamFault): void {
    if (this.#state === "over") return;
    this.stop();
    this.#host.failed(failure);
  }
}

function passPlain(flow: BodyFlow | undefined, bytes: Uint8Array, endOfStream: boolean): Eventually<Parts> {
  if (flow === undefined) return bytes.length === 0 ? [] : [bytes];
  if (!endOfStream) return bytes.length === 0 ? [] : flow.chunk(bytes);
  return bytes.length === 0 ? flow.end() : flow.lastChunk(bytes);
}

const sizeOf = (piece: Piece): number => overheadBytes + (piece.kind === "chunk" ? piece.bytes.length : 0);

function small({ bytes, endOfStream }: Chunk): readonly Chunk[] {
  const all = pieces(bytes);
  return all.map((part, index) => ({ kind: "chunk", bytes: part, endOfStream: endOfStream && index === all.length - 1 }));
}

/** None is larger than `pieceBytesMax`. */
function pieces(part: Uint8Array): Parts {
  if (part.length <= pieceBytesMax) return [part];
  return Array.from({ length: Math.ceil(part.length / pieceBytesMax) }, (_, index) =>
    part.subarray(index * pieceBytesMax, (index + 1) * pieceBytesMax),
  );
}
