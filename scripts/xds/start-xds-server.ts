/**
 * The smallest control plane that is one: the aggregated discovery service, state of the world, one state for everybody. For demos and tests:
 * who connects gets the state, and everybody gets it anew when it changes.
 */
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { DiscoveryRequest, DiscoveryResponse } from "../../src/generated/proto/envoy/service/discovery/v3/discovery.ts";

export interface XdsServer {
  readonly port: number;
  /** What came in, in order. */
  readonly requests: readonly DiscoveryRequest[];
  /** The `authorization` of each stream, in order. */
  readonly authorizations: readonly (string | undefined)[];
  /** Sends a state to everybody who is there or comes; undefined: nothing is sent to who comes. */
  publish(state: XdsState | undefined): void;
  /** Sends bytes in place of a response to everybody who is there. */
  send(bytes: Uint8Array): void;
  /** Ends every stream, as a server does that goes away in peace. */
  endStreams(): void;
  /** Cuts every connection. */
  stop(): Promise<void>;
}

export interface XdsState {
  readonly version: string;
  readonly typeUrl: string;
  readonly resources: readonly { readonly typeUrl: string; readonly value: Uint8Array }[];
}

export interface XdsServerPlan {
  /** Default 0: a free one. */
  readonly port?: number;
  readonly credentials?: ServerCredentials;
  readonly onRequest?: (request: DiscoveryRequest) => void;
}

type Stream = ServerDuplexStream<DiscoveryRequest, Uint8Array>;

/** Listens on loopback. Rejects when the port is taken. */
export async function startXdsServer(plan: XdsServerPlan = {}): Promise<XdsServer> {
  const { port = 0, credentials = ServerCredentials.createInsecure(), onRequest = () => {} } = plan;
  const requests: DiscoveryRequest[] = [];
  const authorizations: (string | undefined)[] = [];
  const streams = new Set<Stream>();
  let state: XdsState | undefined;
  let nonce = 0;

  const respond = (stream: Stream): void => {
    if (state === undefined) return;
    const { version, typeUrl, resources } = state;
    nonce += 1;
    stream.write(DiscoveryResponse.encode({ versionInfo: version, typeUrl, resources: [...resources], nonce: String(nonce) }).finish());
  };
  const open = (stream: Stream): void => {
    streams.add(stream);
    authorizations.push(stream.metadata.get("authorization")[0]?.toString());
    let asked = false;
    stream.on("data", (request: DiscoveryRequest) => {
      requests.push(request);
      onRequest(request);
      // Later requests answer a response: there is nothing to send until the state changes.
      if (!asked) respond(stream);
      asked = true;
    });
    stream.on("end", () => stream.end());
    stream.on("error", () => streams.delete(stream));
    stream.on("close", () => streams.delete(stream));
  };

  const server = new Server();
  server.addService(service, { streamAggregatedResources: open });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, found) => (error === null ? resolve(found) : reject(error)));
  });
  return {
    port: bound,
    requests,
    authorizations,
    publish(next) {
      state = next;
      for (const stream of streams) respond(stream);
    },
    send: (bytes) => {
      for (const stream of streams) stream.write(bytes);
    },
    endStreams: () => {
      for (const stream of streams) stream.end();
    },
    async stop() {
      server.forceShutdown();
    },
  };
}

const service = {
  streamAggregatedResources: {
    path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
    requestStream: true,
    responseStream: true,
    requestSerialize: (request: DiscoveryRequest) => Buffer.from(DiscoveryRequest.encode(request).finish()),
    requestDeserialize: (bytes: Buffer) => DiscoveryRequest.decode(bytes),
    responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
    responseDeserialize: (bytes: Buffer) => bytes,
  },
} as const;
