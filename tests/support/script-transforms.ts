/** What the `script` policy can do to a body that passes in pieces. */
import type { BodyTransform, StreamControl } from "@envoy-policy-engine/sdk";

const upper = (bytes: Uint8Array): Buffer => Buffer.from(Buffer.from(bytes).toString("latin1").toUpperCase(), "latin1");

/** Those that fail do so at the first chunk that holds a `!`. */
const failing = (fail: () => Uint8Array | undefined | Promise<Uint8Array | undefined>): BodyTransform => ({
  chunk: (bytes) => (bytes.includes(0x21) ? fail() : bytes),
  end: () => undefined,
});

export const transforms = {
  same: () => ({ chunk: (bytes) => bytes, end: () => undefined }),
  upper: () => ({ chunk: upper, end: () => undefined }),
  "upper-later": () => ({ chunk: async (bytes) => upper(bytes), end: async () => undefined }),
  double: () => ({ chunk: (bytes) => Buffer.concat(Array.from(bytes, (byte) => Buffer.of(byte, byte))), end: () => undefined }),
  /** Nothing leaves before the end. */
  hold: () => {
    const held: Uint8Array[] = [];
    return { chunk: (bytes) => void held.push(bytes), end: () => Buffer.concat(held) };
  },
  suffix: () => ({ chunk: (bytes) => bytes, end: () => Buffer.from("|end") }),
  nothing: () => ({ chunk: () => undefined, end: () => undefined }),
  trailers: () => ({
    chunk: (bytes) => bytes,
    end: (trailers) => {
      trailers?.set("x-seen", trailers.names().join());
      return Buffer.from(trailers === undefined ? "|none" : "|some");
    },
  }),
  throws: () =>
    failing(() => {
      throw new Error("at the mark");
    }),
  rejects: () => failing(() => Promise.reject(new Error("at the mark"))),
  hangs: () => failing(() => new Promise(() => {})),
  nonsense: () => failing(() => "text" as never),
  aborts: (stream) =>
    failing(() => {
      stream.abort("at the mark");
      return undefined;
    }),
} as const satisfies Record<string, (stream: StreamControl) => BodyTransform>;

export type TransformName = keyof typeof transforms;
