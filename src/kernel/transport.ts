/**
 * The seam between gRPC and the kernel: messages cross it as bytes. A transport knows streams; the kernel knows what they mean.
 */
import type { ListenAddress } from "../config/addresses.ts";

/** One ext_proc stream as the kernel writes to it. After `sendAndEnd`, `end`, `fail` or `reset` every further call is ignored. */
export interface StreamSink {
  /** Queues one message. False when the queue is above its high mark: `drained` follows. */
  send(message: Uint8Array): boolean;
  /** One message and then status OK, in one ordered write. Only the kernel's `endOk` may call it. */
  sendAndEnd(message: Uint8Array): void;
  /** Status OK. Only the kernel's `endOk` may call it: OK while a message is unanswered lets the request pass unprocessed. */
  end(): void;
  /** Ends with a status that is not OK; what was queued before is not promised to arrive. */
  fail(status: "internal" | "unavailable" | "resource-exhausted" | "invalid-argument", text: string): void;
  /** Stops reading from Envoy until `resume`. */
  pause(): void;
  resume(): void;
}

/** One ext_proc stream as the transport drives it. Calls come in order and never overlap; none may throw. */
export interface StreamHandler {
  message(bytes: Uint8Array): void;
  /** Envoy will send nothing more: it has ended the stream, or reset it without an error. */
  halfClosed(): void;
  /** The stream is gone, for whatever reason; always the last call and always made. */
  closed(): void;
  drained(): void;
}

/** Metadata of the stream, by lower-case key. Undefined when absent. A key sent twice, which Envoy does not, comes joined with `, `. */
export interface StreamMetadata {
  get(key: string): string | undefined;
}

export type OpenStream = (metadata: StreamMetadata, sink: StreamSink) => StreamHandler;

export interface TransportOptions {
  /** Where to listen; at least one. */
  readonly addresses: readonly ListenAddress[];
  /** Answers grpc.health.v1.Health/Check. */
  readonly serving: () => boolean;
  /** The largest message that is accepted, bytes. */
  readonly messageBytesMax: number;
  /** Told of each connection that is ended because of what its peer does. grpc-js keeps that to itself. Default: nobody is told. */
  readonly cutOff?: (event: CutOff) => void;
}

export interface CutOff {
  readonly reason: CutOffReason;
  /** In words of ours: nothing that the peer has sent. */
  readonly detail: string;
}

/**
 * `bound`: it asked for too much. `slow`: it did not end what it had begun, or take what it had asked for. `protocol`: what it sent is no
 * HTTP/2. `connections`: there were too many. `tls`: no handshake came about.
 */
export type CutOffReason = (typeof cutOffReasons)[number];

export const cutOffReasons = ["bound", "slow", "protocol", "connections", "tls"] as const;

/** PEM texts that have been tried and fit together. */
export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
  /** What vouches for clients. Undefined: they are not asked for a certificate. It stays there or away as long as the process. */
  readonly clientCa: string | undefined;
}

export interface ServerTls {
  read(): TlsMaterial;
  /** `changed` gets each new material. Connections keep what they began with. */
  watch(changed: (material: TlsMaterial) => void): void;
}

export interface Transport {
  /**
   * Takes streams. Resolves with the addresses in use (a port 0 filled in). Rejects when one cannot be bound; then none is.
   *
   * @param tls for the TCP addresses; without it they speak in clear, as Unix sockets always do
   */
  listen(open: OpenStream, tls?: ServerTls): Promise<readonly ListenAddress[]>;
  /** GOAWAY: no new streams, open ones go on. Resolves when every stream has ended. */
  drain(): Promise<void>;
  /** Ends whatever is left at once. Idempotent. */
  close(): Promise<void>;
}
