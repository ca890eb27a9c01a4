import type { Transport, TransportOptions } from "../../src/kernel/transport.ts";
import { createTransport, type TransportKind } from "../../src/transport/create-transport.ts";

export const transportKinds = ["grpc-js", "native"] as const satisfies readonly TransportKind[];

export type CreateTransport = (options: TransportOptions) => Transport;

/** All transports: what holds for one holds for each. */
export const transports = transportKinds.map(
  (kind) => [kind, (options: TransportOptions): Transport => createTransport(kind, options, () => performance.now())] as const,
);
