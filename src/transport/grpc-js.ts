/**
 * ext_proc and health on @grpc/grpc-js. Messages are not decoded here: they cross as bytes.
 */
import type { Http2Session, ServerHttp2Stream } from "node:http2";
import { Server, ServerCredentials, type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../generated/proto/grpc/health/v1/health.ts";
import type { OpenStream, StreamHandler, StreamMetadata, StreamSink, Transport, TransportOptions } from "../kernel/transport.ts";
import { liftResetLimit } from "./reset-limit.ts";
import { freeSocketPath } from "./socket-path.ts";
import { createTlsCredentials } from "./tls-credentials.ts";

const extProcService = "envoy.service.ext_proc.v3.ExternalProcessor";

type ListenAddress = TransportOptions["addresses"][number];
type Call = ServerDuplexStream<Uint8Array, Uint8Array>;

/** Throws a `ResetLimitError` where Node limits how many streams a connection may reset. */
export function createGrpcJsTransport(options: TransportOptions): Transport {
  const server = new Server({
    "grpc.max_receive_message_length": options.messageBytesMax,
    "grpc.max_send_message_length": options.messageBytesMax,
    // Off: it costs per call and nothing reads it.
    "grpc.enable_channelz": 0,
  });
  const closings: Closings = new WeakMap();
  liftResetLimit(server, process.versions.node);
  server.addService(healthDefinition, { check: healthCheck(options.serving) });

  return {
    async listen(open, tls) {
      server.addService(extProcDefinition, { process: (call: Call) => attach(call, open, closings) });
      const bound: ListenAddress[] = [];
      const inClear = ServerCredentials.createInsecure();
      const forTcp = tls === undefined ? inClear : createTlsCredentials(tls);
      try {
        for (const address of options.addresses) bound.push(await bindAddress(server, address, address.kind === "tcp" ? forTcp : inClear));
      } catch (error) {
        server.forceShutdown();
        throw error;
      }
      return bound;
    },
    drain: () =>
      new Promise((resolve) => {
        server.tryShutdown(() => resolve());
      }),
    async close() {
      server.forceShutdown();
    },
  };
}

const bytesIn = (bytes: Buffer): Uint8Array => bytes;
const bytesOut = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const extProcDefinition = {
  process: {
    path: `/${extProcService}/Process`,
    requestStream: true,
    responseStream: true,
    requestDeserialize: bytesIn,
    requestSerialize: bytesOut,
    responseSerialize: bytesOut,
    responseDeserialize: bytesIn,
  },
} as const;

const healthDefinition = {
  check: {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestDeserialize: (bytes: Buffer) => HealthCheckRequest.decode(bytes),
    requestSerialize: (message: HealthCheckRequest) => bytesOut(HealthCheckRequest.encode(message).finish()),
    responseSerialize: (message: HealthCheckResponse) => bytesOut(HealthCheckResponse.encode(message).finish()),
    responseDeserialize: (bytes: Buffer) => HealthCheckResponse.decode(bytes),
  },
} as const;

/** Ties one gRPC call to the kernel's handler for it. */
function attach(call: Call, open: OpenStream, closings: Closings): void {
  let ended = false;
  const end = (finish: () => void): void => {
    if (ended) return;
    ended = true;
    finish();
  };
  const sink: StreamSink = {
    send: (message) => ended || call.write(message),
    sendAndEnd: (message) =>
      end(() => {
        call.write(message);
        call.end();
      }),
    end: () => end(() => call.end()),
    fail: (code, text) => end(() => call.emit("error", { code: statusCodes[code], details: text })),
    pause: () => call.pause(),
    resume: () => call.resume(),
  };
  const handler: StreamHandler = open(streamMetadata(call), sink);
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    forget();
    handler.closed();
  };
  const stream = http2Stream(call);
  if (stream !== undefined) destroyWhenAborted(stream);
  const forget = stream?.session === undefined ? () => {} : whenSessionCloses(stream.session, closings, close);
  call.on("data", (message: Uint8Array) => closed || handler.message(message));
  call.on("end", () => closed || handler.halfClosed());
  call.on("drain", () => closed || handler.drained());
  call.once("close", close);
}

/** grpc-js keeps its HTTP/2 stream in a private field. */
function http2Stream(call: Call): ServerHttp2Stream | undefined {
  const base: unknown = Reflect.get(call, "call");
  const stream: unknown = typeof base === "object" && base !== null ? Reflect.get(base, "stream") : undefined;
  return isHttp2Stream(stream) ? stream : undefined;
}

/**
 * Node's HTTP/2 (seen in 24.21; nodejs/node#58252) never lets go of a stream that the peer resets with NO_ERROR while a write is on its way,
 * and Envoy resets just so when a client leaves: the call would never close.
 */
function destroyWhenAborted(stream: ServerHttp2Stream): void {
  // Not at once: Node is still busy with the stream when it tells of the reset.
  stream.once("aborted", () => setImmediate(() => stream.destroy()));
}

/** What is to be closed with each connection. */
type Closings = WeakMap<Http2Session, Set<() => void>>;

/** A connection that is gone takes its streams with it, also one that Node does not tell of. Returns what forgets the stream. */
function whenSessionCloses(session: Http2Session, closings: Closings, close: () => void): () => void {
  const all = closings.get(session) ?? new Set();
  if (!closings.has(session)) {
    closings.set(session, all);
    session.once("close", () =>
      setImmediate(() => {
        for (const one of all) one();
      }),
    );
  }
  all.add(close);
  return () => void all.delete(close);
}

function isHttp2Stream(value: unknown): value is ServerHttp2Stream {
  return typeof value === "object" && value !== null && "rstCode" in value && "once" in value;
}

const statusCodes = {
  internal: status.INTERNAL,
  unavailable: status.UNAVAILABLE,
  "resource-exhausted": status.RESOURCE_EXHAUSTED,
  "invalid-argument": status.INVALID_ARGUMENT,
} as const;

function streamMetadata(call: Call): StreamMetadata {
  return {
    get(key) {
      const [value] = call.metadata.get(key);
      if (value === undefined) return undefined;
      // Node reads header bytes as latin1; Envoy writes route names as UTF-8.
      return Buffer.isBuffer(value) ? value.toString("utf8") : Buffer.from(value, "latin1").toString("utf8");
    },
  };
}

function healthCheck(serving: () => boolean) {
  return (call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>, answer: sendUnaryData<HealthCheckResponse>): void => {
    const service = call.request.service ?? "";
    if (service !== "" && service !== extProcService) {
      answer({ code: status.NOT_FOUND, details: "unknown service" });
      return;
    }
    answer(null, { status: serving() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING });
  };
}

async function bindAddress(server: Server, address: ListenAddress, credentials: ServerCredentials): Promise<ListenAddress> {
  switch (address.kind) {
    case "unix":
      await freeSocketPath(address.path);
      await bindTarget(server, `unix:${address.path}`, credentials);
      return address;
    case "tcp": {
      const host = address.host.includes(":") ? `[${address.host}]` : address.host;
      return { ...address, port: await bindTarget(server, `${host}:${address.port}`, credentials) };
    }
    default:
      return address satisfies never;
  }
}

function bindTarget(server: Server, target: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(new Error(`cannot listen on ${target}: ${error.message}`, { cause: error }));
    });
  });
}
