/** Frames of HTTP/2 as a test writes and reads them (RFC 9113, section 4), and header blocks without compression. */

export const types = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flags = { none: 0, endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export function frame(type: number, frameFlags: number, streamId: number, payload: Uint8Array = Buffer.of()): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = frameFlags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

export function settings(...values: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(values.length * 6);
  for (const [index, [id, value]] of values.entries()) {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return frame(types.settings, flags.none, 0, payload);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The whole frames at the beginning of what was received, and the rest. */
export function readFrames(bytes: Buffer): { readonly frames: readonly Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = [];
  let rest = bytes;
  while (rest.length >= 9) {
    const end = 9 + rest.readUIntBE(0, 3);
    if (rest.length < end) break;
    const [type = 0, frameFlags = 0] = rest.subarray(3);
    frames.push({ type, flags: frameFlags, streamId: rest.readUInt32BE(5) & 0x7f_ff_ff_ff, payload: rest.subarray(9, end) });
    rest = rest.subarray(end);
  }
  return { frames, rest };
}

export type Fields = readonly (readonly [name: string, value: string])[];

/** Literals without indexing (RFC 7541 6.2.2). */
export function literals(fields: Fields): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

/** A string without Huffman (RFC 7541 5.2). */
export function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([integer(0, 0x7f, bytes.length), bytes]);
}

/** RFC 7541 5.1. */
export function integer(pattern: number, mask: number, value: number): Buffer {
  if (value < mask) return Buffer.of(pattern | value);
  const bytes = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

export const processPath = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";

/** What a gRPC client sends first on a stream. */
export function grpcRequest(path: string = processPath, more: Fields = []): Fields {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "engine"],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
    ...more,
  ];
}

export function headers(streamId: number, fields: Fields, more: number = flags.none): Buffer {
  return frame(types.headers, flags.endHeaders | more, streamId, literals(fields));
}

/** A message of gRPC, as it stands in DATA. */
export function message(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.of(0), uint32(bytes.length), bytes]);
}

export function data(streamId: number, payload: Buffer, more: number = flags.none): Buffer {
  return frame(types.data, more, streamId, payload);
}

export function windowUpdate(streamId: number, bytes: number): Buffer {
  return frame(types.windowUpdate, flags.none, streamId, uint32(bytes));
}

export function reset(streamId: number, code = 8): Buffer {
  return frame(types.reset, flags.none, streamId, uint32(code));
}
