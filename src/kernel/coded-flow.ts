import type { BodyFlow, FlowFailure, Parts } from "../worker/body-flow.ts";
import type { HeaderStore } from "../worker/header-store.ts";
import type { ReceivedHeaders } from "../worker/received-headers.ts";
import type { Continued } from "../worker/run-outcome.ts";
import type { Coder } from "./codings/coder.ts";
import { codingsOf } from "./codings/coding.ts";
import { createDecoder } from "./codings/decoder.ts";
import { createEncoder } from "./codings/encoder.ts";

/** What a body is to pass through. Undefined: it passes as it is. */
export interface Passage {
  readonly through: BodyFlow | CodedFlow | undefined;
}

/** A body whose content coding is unknown: the flow cannot read it. */
export interface ClosedPassage {
  readonly flow: BodyFlow;
}

/**
 * What a body passes through: what the steps have left behind for it, between the undoing and the doing again of its content codings. Whoever changes
 * content-encoding answers for it: the bytes then go as the transforms have made them.
 *
 * @param headers those of the body as they were received
 */
export function passage(headers: ReceivedHeaders, { flow, touched }: Continued): Passage | ClosedPassage {
  if (flow === undefined) return { through: undefined };
  const codings = codingsOf(headers.texts("content-encoding"));
  if (codings === undefined) return { flow };
  if (codings.length === 0) return { through: flow };
  // A stream has no size; what it may become in relation to what came is bounded.
  const decoder = createDecoder(codings, Number.POSITIVE_INFINITY);
  return { through: new CodedFlow(flow, decoder, createEncoder(touched("content-encoding") ? [] : codings)) };
}

/** Transforms between a decoder and an encoder: they see a body without its content codings, and one encoder makes the whole of it again. */
export class CodedFlow {
  readonly #flow: BodyFlow;
  readonly #decoder: Coder;
  readonly #encoder: Coder;

  constructor(flow: BodyFlow, decoder: Coder, encoder: Coder) {
    this.#flow = flow;
    this.#decoder = decoder;
    this.#encoder = encoder;
  }

  /** What each piece gives is to be taken before the next one is made. @throws CodingError while it is iterated */
  chunk(bytes: Uint8Array): AsyncIterable<Uint8Array> {
    return this.#through(this.#decoder.write(bytes));
  }

  async *end(trailers?: HeaderStore): AsyncIterable<Uint8Array> {
    yield* this.#through(this.#decoder.end());
    yield* this.#encoded(await this.#flow.end(trailers));
    yield* this.#encoder.end();
  }

  onFailure(failed: (failure: FlowFailure) => void): void {
    this.#flow.onFailure(failed);
  }

  /** Frees what the coders hold. */
  close(): void {
    this.#decoder.close();
    this.#encoder.close();
  }

  async *#through(decoded: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const piece of decoded) yield* this.#encoded(await this.#flow.chunk(piece));
  }

  async *#encoded(parts: Parts): AsyncIterable<Uint8Array> {
    for (const part of parts) yield* this.#encoder.write(part);
  }
}
