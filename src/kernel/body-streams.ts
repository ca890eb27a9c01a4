/** The bodies of one exchange that pass in pieces, and how fast: nobody is listened to faster than the other side takes what comes of it. */
import type { BodyFlow, FlowFailure } from "../worker/body-flow.ts";
import { BodyStream, type Piece, type StreamFault } from "./body-stream.ts";
import type { CodedFlow } from "./coded-flow.ts";
import type { StreamSink } from "./transport.ts";
import type { Direction } from "./whole-body.ts";

/** What they need of their exchange. */
export interface BodyStreamsHost {
  /** The last answer of a direction. */
  sendLast(answer: Uint8Array): void;
  /** A body cannot come to its end. */
  streamFailed(direction: Direction, failure: FlowFailure | StreamFault): void;
  /** None is busy any more, maybe long after the end of the exchange. */
  streamsSettled(): void;
}

export class BodyStreams {
  readonly #sink: StreamSink;
  readonly #host: BodyStreamsHost;
  #request: BodyStream | undefined;
  #response: BodyStream | undefined;
  /** The transport's queue is above its high mark. */
  #full = false;
  #paused = false;

  constructor(sink: StreamSink, host: BodyStreamsHost) {
    this.#sink = sink;
    this.#host = host;
  }

  /** Whether the last answer of any is still to come. */
  get areOpen(): boolean {
    return this.#request?.isOpen === true || this.#response?.isOpen === true;
  }

  /** Whether a transform's promise is pending. */
  get areBusy(): boolean {
    return this.#request?.isBusy === true || this.#response?.isBusy === true;
  }

  has(direction: Direction): boolean {
    return this.#of(direction) !== undefined;
  }

  /** From here on the body of the direction is taken; nothing of it is answered before `open`. */
  expect(direction: Direction): void {
    const stream = new BodyStream(direction, {
      hasRoom: () => !this.#full,
      send: (answer) => {
        if (!this.#sink.send(answer)) this.#full = true;
      },
      sendLast: (answer) => this.#host.sendLast(answer),
      failed: (failure) => this.#host.streamFailed(direction, failure),
      settled: () => {
        this.#regulate();
        if (!this.areBusy) this.#host.streamsSettled();
      },
    });
    if (direction === "request") this.#request = stream;
    else this.#response = stream;
  }

  /** The headers are answered. @param flow undefined: the body passes as it is */
  open(direction: Direction, flow: BodyFlow | CodedFlow | undefined): void {
    this.#of(direction)?.open(flow);
    this.#regulate();
  }

  take(direction: Direction, piece: Piece): void {
    this.#of(direction)?.take(piece);
    this.#regulate();
  }

  drained(): void {
    this.#full = false;
    this.#request?.proceed();
    this.#response?.proceed();
    this.#regulate();
  }

  /** Nothing more passes, and what still comes is read and dropped. */
  stop(): void {
    this.#full = false;
    this.#request?.stop();
    this.#response?.stop();
    this.#regulate();
  }

  #of(direction: Direction): BodyStream | undefined {
    return direction === "request" ? this.#request : this.#response;
  }

  #regulate(): void {
    const pause = this.#full || this.#request?.isFull === true || this.#response?.isFull === true;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#sink.pause();
    else this.#sink.resume();
  }
}
