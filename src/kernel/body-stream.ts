/**
 * One body in FULL_DUPLEX_STREAMED: it comes in pieces, passes what the steps have left behind for it, and leaves in pieces, which need not be the
 * same. Nothing of it may be answered before the headers are, and Envoy keeps no copy: what is not sent back is lost.
 */
import type { FailureCode } from "../errors.ts";
import type { BodyFlow, FlowFailure, Parts } from "../worker/body-flow.ts";
import { type HeaderChanges, type HeaderEntry, HeaderStore } from "../worker/header-store.ts";
import { Journal } from "../worker/journal.ts";
import { andThen, type Eventually } from "../worker/promises.ts";
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

/** A piece of the body as it comes, or what follows it. */
export type Piece =
  | { readonly kind: "chunk"; readonly bytes: Uint8Array; readonly endOfStream: boolean }
  | { readonly kind: "trailers"; readonly headers: readonly HeaderEntry[] };

/** What may wait here before Envoy is no longer listened to, bytes. */
const windowBytesMax = 256 * 1024;
/** What a piece counts for besides its bytes, so that empty ones cannot fill the memory. */
const pieceBytes = 1024;
/** The largest piece that is sent, bytes: what Envoy's documentation advises. */
const sentBytesMax = 64 * 1024;

export class BodyStream {
  readonly #direction: Direction;
  readonly #host: BodyStreamHost;
  readonly #waiting: Piece[] = [];
  #waitingBytes = 0;
  /** `held`: the headers are unanswered. `over`: the last answer has been sent, or none will be. */
  #state: "held" | "flowing" | "over" = "held";
  #busy = false;
  #begun = false;
  /** A piece of the body itself has come, maybe an empty one. */
  #hasData = false;
  /** Undefined: the body passes as it is. */
  #flow: BodyFlow | undefined;

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

  /** Whether transforms wait for it and nothing of it has come. */
  get isMissing(): boolean {
    return this.#state === "flowing" && this.#flow !== undefined && !this.#begun;
  }

  /** Whether no more of it is to be read for now. */
  get isFull(): boolean {
    return this.#waitingBytes >= windowBytesMax;
  }

  /** The headers are answered. @param flow undefined: the body passes as it is */
  open(flow: BodyFlow | undefined): void {
    this.#state = "flowing";
    this.#flow = flow;
    flow?.onFailure((failure) => this.#fail(failure));
    this.proceed();
  }

  take(piece: Piece): void {
    if (this.#state === "over") return;
    this.#begun = true;
    this.#waiting.push(piece);
    this.#waitingBytes += sizeOf(piece);
    this.proceed();
  }

  /** Does what can be done now. */
  proceed(): void {
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
  }

  #pass(piece: Piece): void {
    if (piece.kind === "trailers") {
      const trailers = new HeaderStore(piece.headers, new Journal());
      return this.#settle(this.#flow?.end(trailers) ?? [], (parts) => this.#sendTrailers(parts, trailers.takeChanges()));
    }
    const { bytes, endOfStream } = piece;
    this.#hasData = true;
    const head = bytes.length === 0 ? [] : (this.#flow?.chunk(bytes) ?? [bytes]);
    if (!endOfStream) return this.#settle(head, (parts) => this.#send(parts));
    const whole = andThen(head, (first) => andThen(this.#flow?.end() ?? [], (rest) => [...first, ...rest]));
    this.#settle(whole, (parts) => this.#sendEnd(parts));
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
      .catch((cause: unknown) => this.#fail({ code: "internal-error", cause }))
      .finally(() => this.#host.settled());
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

const sizeOf = (piece: Piece): number => pieceBytes + (piece.kind === "chunk" ? piece.bytes.length : 0);

/** In the size in which they are sent. */
function pieces(part: Uint8Array): Parts {
  if (part.length <= sentBytesMax) return [part];
  return Array.from({ length: Math.ceil(part.length / sentBytesMax) }, (_, index) =>
    part.subarray(index * sentBytesMax, (index + 1) * sentBytesMax),
  );
}
