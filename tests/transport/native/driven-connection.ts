/** A connection without a socket: frames in, frames out, and a handler that writes down what it is told. */
import type { OpenStream, StreamSink } from "../../../src/kernel/transport.ts";
import { createAcceptRequest } from "../../../src/transport/native/grpc/accept-request.ts";
import { HpackDecoder } from "../../../src/transport/native/hpack/hpack-decoder.ts";
import { HuffmanDecoder } from "../../../src/transport/native/hpack/huffman-decoder.ts";
import { createStaticTable } from "../../../src/transport/native/hpack/static-table.ts";
import { Connection } from "../../../src/transport/native/http2/connection.ts";
import { Memory } from "../../../src/transport/native/http2/memory.ts";
import { defaultLimits, type NativeLimits } from "../../../src/transport/native/limits.ts";
import { type Frame, preface, readFrames, settings, types } from "./frames.ts";

export const tables = { huffman: new HuffmanDecoder(), staticTable: createStaticTable() };
export const messageBytesMax = 1024 * 1024;

export interface Call {
  readonly events: string[];
  readonly metadata: (key: string) => string | undefined;
  readonly sink: StreamSink;
}

export interface DrivenConnection {
  readonly connection: Connection;
  readonly memory: Memory;
  readonly calls: readonly Call[];
  /** Sends bytes, and returns the frames that come back. */
  send(...bytes: readonly Buffer[]): readonly Frame[];
  /** The frames that have come since the last call; makes the turn that was asked for. */
  heard(): readonly Frame[];
  /** How often bytes were written since the last call. */
  writes(): number;
  /** How much the socket has not taken from now on. */
  untaken(bytes: number): void;
  /** The server has closed. */
  ended(): boolean;
  /** Frames as words; header blocks are decoded. */
  words(frames: readonly Frame[]): readonly string[];
}

export interface DrivenOptions {
  readonly limits?: Partial<NativeLimits>;
  /** Shared with other connections. Default: its own. */
  readonly memory?: Memory;
  readonly serving?: () => boolean;
  readonly monotonicMs?: () => number;
  /** What a call does with a message, besides writing it down. */
  readonly message?: (bytes: Uint8Array, call: Call) => void;
  /** `settled`: preface and settings have been exchanged. Default. */
  readonly begin?: "settled" | "new";
}

export function drivenConnection(options: DrivenOptions = {}): DrivenConnection {
  const { limits = {}, serving = () => true, monotonicMs = () => 0, message = () => {}, begin = "settled" } = options;
  const calls: Call[] = [];
  const open: OpenStream = (metadata, sink) => {
    const call: Call = { events: [], metadata: (key) => metadata.get(key), sink };
    calls.push(call);
    return {
      message(bytes) {
        call.events.push(`message ${shown(bytes)}`);
        message(bytes, call);
      },
      halfClosed: () => void call.events.push("half-closed"),
      drained: () => void call.events.push("drained"),
      closed: () => void call.events.push("closed"),
    };
  };
  let received = Buffer.alloc(0);
  let writes = 0;
  let untaken = 0;
  let ended = false;
  let woken = false;
  const memory = options.memory ?? new Memory({ ...defaultLimits, ...limits }, messageBytesMax);
  const connection = new Connection({
    host: {
      write(buffers) {
        if (ended) throw new Error("bytes after the end");
        if (buffers.length > 0) writes++;
        received = Buffer.concat([received, ...buffers]);
        return untaken;
      },
      end: () => {
        ended = true;
      },
      gaveUp: () => {},
      wake: () => {
        woken = true;
      },
      monotonicMs,
    },
    accept: createAcceptRequest({ open, serving, messageBytesMax }),
    tables,
    limits: { ...defaultLimits, ...limits },
    memory,
    messageBytesMax,
  });
  const hpack = new HpackDecoder(tables, defaultLimits);
  const driven: DrivenConnection = {
    connection,
    memory,
    calls,
    send(...bytes) {
      for (const one of bytes) connection.receive(one);
      return driven.heard();
    },
    heard() {
      if (woken) {
        woken = false;
        connection.turn();
      }
      const { frames, rest } = readFrames(received);
      if (rest.length > 0) throw new Error("what was written ends within a frame");
      received = Buffer.alloc(0);
      return frames;
    },
    writes() {
      const count = writes;
      writes = 0;
      return count;
    },
    untaken(bytes) {
      untaken = bytes;
    },
    ended: () => ended,
    words: (frames) => frames.map((frame) => inWords(frame, hpack)),
  };
  connection.start();
  if (begin === "settled") {
    driven.send(Buffer.concat([preface, settings()]));
    driven.writes();
  }
  return driven;
}

function shown(bytes: Uint8Array): string {
  return bytes.length > 40 ? `of ${bytes.length} bytes` : Buffer.from(bytes).toString("utf8");
}

function inWords({ type, flags, streamId, payload }: Frame, hpack: HpackDecoder): string {
  const on = streamId === 0 ? "" : ` ${streamId}`;
  const end = flags & 1 ? ", end" : "";
  switch (type) {
    case types.data:
      return `data${on} ${payload.length > 40 ? payload.length : JSON.stringify(payload.toString("latin1"))}${end}`;
    case types.headers: {
      const fields = hpack.decode(payload, 0, payload.length);
      return `headers${on} ${fields === "too-large" ? fields : fields.map(({ name, value }) => `${name}=${value}`).join(" ")}${end}`;
    }
    case types.reset:
      return `reset${on} ${payload.readUInt32BE(0)}`;
    case types.settings:
      return flags & 1 ? "settings ack" : "settings";
    case types.ping:
      return `ping${flags & 1 ? " ack" : ""} ${payload.toString("latin1")}`;
    case types.goaway:
      return `goaway ${payload.readUInt32BE(0)} ${payload.readUInt32BE(4)} ${payload.toString("utf8", 8)}`.trimEnd();
    case types.windowUpdate:
      return `window${on} ${payload.readUInt32BE(0)}`;
    default:
      return `type ${type}${on}`;
  }
}
