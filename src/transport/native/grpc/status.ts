import type { SentField } from "../hpack/hpack-encoder.ts";

/** Status codes of gRPC that this server sends. */
export const GrpcStatus = {
  ok: 0,
  invalidArgument: 3,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;
export type GrpcStatus = (typeof GrpcStatus)[keyof typeof GrpcStatus];

const statusOk: SentField = { name: ":status", value: "200", form: "literal" };
const contentType: SentField = { name: "content-type", value: "application/grpc", form: "indexed" };

/** Before the first message. */
export const responseHeaders: readonly SentField[] = [statusOk, contentType];

/** After the last one. */
export const okTrailers: readonly SentField[] = [{ name: "grpc-status", value: "0", form: "indexed" }];

/** A text that is longer is cut, characters. */
const messageCharactersMax = 1024;

export function failureTrailers(status: GrpcStatus, message: string): readonly SentField[] {
  return [
    { name: "grpc-status", value: String(status), form: "literal" },
    { name: "grpc-message", value: percentEncoded(message.slice(0, messageCharactersMax)), form: "literal" },
  ];
}

/** What is not printable ASCII, and `%`, as octets of UTF-8 (gRPC over HTTP/2, Status-Message). */
function percentEncoded(text: string): string {
  return text.toWellFormed().replace(/[^ -$&-~]+/g, (part) => [...Buffer.from(part)].map((byte) => `%${hex(byte)}`).join(""));
}

const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, "0");
