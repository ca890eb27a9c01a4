import type { Transport, TransportOptions } from "../kernel/transport.ts";
import { createGrpcJsTransport } from "./grpc-js.ts";
import { createNativeTransport } from "./native/native-transport.ts";

/** What `transport` says in the settings. */
export type TransportKind = "grpc-js" | "native";

/** Throws a `ResetLimitError` where grpc-js is asked for and Node limits how many streams a connection may reset. */
export function createTransport(kind: TransportKind, options: TransportOptions, monotonicMs: () => number): Transport {
  switch (kind) {
    case "grpc-js":
      return createGrpcJsTransport(options);
    case "native":
      return createNativeTransport(options, { monotonicMs });
    default:
      return kind satisfies never;
  }
}
