import type { Transport, TransportOptions } from "../../src/kernel/transport.ts";
import { createGrpcJsTransport } from "../../src/transport/grpc-js.ts";
import { createNativeTransport } from "../../src/transport/native/native-transport.ts";

/** All transports, by the name that the settings give them: what holds for one holds for each. */
export const transports: readonly (readonly [name: "grpc-js" | "native", create: (options: TransportOptions) => Transport])[] = [
  ["grpc-js", createGrpcJsTransport],
  ["native", (options) => createNativeTransport(options, { monotonicMs: () => performance.now() })],
];
