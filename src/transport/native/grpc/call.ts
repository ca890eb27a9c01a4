import type { OpenStream, StreamHandler, StreamMetadata, StreamSink } from "../../../kernel/transport.ts";
import type { Http2Stream, StreamReceiver } from "../http2/stream.ts";
import type { MessageCopies } from "./message-copies.ts";
import { type MessageFault, MessageReader, messagePrefixBytes } from "./message-reader.ts";
import { failureTrailers, GrpcStatus, okTrailers, responseHeaders } from "./status.ts";

/** One gRPC stream: what the kernel writes to, and what the HTTP/2 stream tells. */
export class GrpcCall implements StreamSink, StreamReceiver {
  readonly #stream: Http2Stream;
  readonly #reader: MessageReader;
  #handler: StreamHandler = nobody;
  #responded = false;
  #ended = false;
  #paused = false;
  #peer: "sends" | "ended" | "told" = "sends";
  /** Received and not yet handed out, so that the peer's window stays smaller by it, bytes. */
  #unread = 0;
  /** What the connection counts as kept for this call, bytes. */
  #heldBytes = 0;

  constructor(stream: Http2Stream, messageBytesMax: number, copies: MessageCopies) {
    this.#stream = stream;
    this.#reader = new MessageReader(messageBytesMax, copies);
  }

  open(open: OpenStream, metadata: StreamMetadata): void {
    this.#handler = open(metadata, this);
  }

  send(message: Uint8Array): boolean {
    if (this.#ended) return true;
    return this.#write(message);
  }

  sendAndEnd(message: Uint8Array): void {
    if (this.#ended) return;
    this.#write(message);
    this.end();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.end(this.#responded ? okTrailers : [...responseHeaders, ...okTrailers]);
  }

  fail(code: keyof typeof failures, text: string): void {
    this.failWith(failures[code], text);
  }

  /** Ends with any status that is not OK; what was queued before is dropped. */
  failWith(status: Exclude<GrpcStatus, 0>, text: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const trailers = failureTrailers(status, text);
    this.#stream.endNow(this.#responded ? trailers : [...responseHeaders, ...trailers]);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // Not at once: the kernel is in the middle of something.
    if (!this.#ended) this.#stream.callSoon();
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#ended) return this.#stream.consumed(end - start);
    this.#unread += end - start;
    this.#reader.push(bytes, start, end);
    this.#deliver();
  }

  ended(): void {
    this.#peer = "ended";
    this.#deliver();
  }

  writable(): void {
    this.#handler.drained();
  }

  called(): void {
    this.#deliver();
  }

  gone(): void {
    this.#ended = true;
    this.#reader.drop();
    this.#count();
    const handler = this.#handler;
    this.#handler = nobody;
    handler.closed();
  }

  #write(message: Uint8Array): boolean {
    if (!this.#responded) {
      this.#responded = true;
      this.#stream.respond(responseHeaders);
    }
    return this.#stream.write(messagePrefix(message.length), message);
  }

  #deliver(): void {
    while (!this.#paused && !this.#ended) {
      const message = this.#reader.next();
      if (message === undefined) {
        this.#stream.consumed(this.#unread);
        this.#unread = 0;
        if (this.#peer === "ended") this.#endOfMessages();
        break;
      }
      if (typeof message === "string") {
        this.#refuse(message);
        break;
      }
      this.#handler.message(message);
    }
    if (this.#ended) this.#reader.drop();
    else this.#reader.keep();
    this.#count();
  }

  #endOfMessages(): void {
    if (!this.#reader.empty) return this.failWith(GrpcStatus.internal, "the stream ends within a message");
    this.#peer = "told";
    this.#handler.halfClosed();
  }

  #refuse(fault: MessageFault): void {
    switch (fault) {
      case "too-large":
        return this.failWith(GrpcStatus.resourceExhausted, "a message is larger than this server takes");
      case "compressed":
        return this.failWith(GrpcStatus.internal, "a message is compressed, and no compression was announced");
      case "malformed":
        return this.failWith(GrpcStatus.internal, "what was sent is no message of gRPC");
      default:
        return fault satisfies never;
    }
  }

  #count(): void {
    const held = this.#reader.heldBytes;
    if (held === this.#heldBytes) return;
    const room = this.#stream.host.holdChanged(held - this.#heldBytes);
    this.#heldBytes = held;
    if (room || this.#ended) return;
    this.failWith(GrpcStatus.resourceExhausted, "this connection has too much that is not whole or not read");
  }
}

const failures = {
  internal: GrpcStatus.internal,
  unavailable: GrpcStatus.unavailable,
  "resource-exhausted": GrpcStatus.resourceExhausted,
  "invalid-argument": GrpcStatus.invalidArgument,
} as const;

const nobody: StreamHandler = { message: () => {}, halfClosed: () => {}, closed: () => {}, drained: () => {} };

/** Written or copied before the next one is made. */
const prefix = new Uint8Array(messagePrefixBytes);

function messagePrefix(length: number): Uint8Array {
  prefix[1] = length >>> 24;
  prefix[2] = length >>> 16;
  prefix[3] = length >>> 8;
  prefix[4] = length;
  return prefix;
}
