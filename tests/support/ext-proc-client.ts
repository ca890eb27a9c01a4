import { Client, credentials } from "@grpc/grpc-js";

/** A connection of its own to an ext_proc server: what is done to it does not touch other clients of the same address. */
export function extProcClient(target: string): Client {
  return new Client(target, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1, "grpc.max_reconnect_backoff_ms": 200 });
}
