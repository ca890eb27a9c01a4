import { createHash } from "node:crypto";

/** A message that is all there, on either side of Envoy. */
export interface PlainMessage {
  /** Besides what every message has. Default: none. Of received ones, content-encoding. */
  readonly headers?: Readonly<Record<string, string>>;
  /** In the pieces in which it is sent; received ones have one. */
  readonly pieces: readonly Uint8Array[];
  readonly trailers: Readonly<Record<string, string>>;
}

/** What is to arrive of a message whose whole body something is made of. */
export function made({ pieces, trailers }: PlainMessage, make: (body: Buffer) => Buffer): PlainMessage {
  return { pieces: [make(Buffer.concat(pieces))], trailers };
}

/** What two messages that are the same have in common; short enough to be read when they are not. */
export function digestOf(message: PlainMessage | undefined): object | undefined {
  if (message === undefined) return undefined;
  const body = Buffer.concat(message.pieces);
  return { bytes: body.length, hash: createHash("sha256").update(body).digest("hex"), trailers: message.trailers };
}
