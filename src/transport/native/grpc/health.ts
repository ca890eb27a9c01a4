import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../../generated/proto/grpc/health/v1/health.ts";
import type { StreamHandler } from "../../../kernel/transport.ts";
import type { GrpcCall } from "./call.ts";
import { GrpcStatus } from "./status.ts";

/** Answers grpc.health.v1.Health/Check: for the server, and for the one service it has. */
export function checkHealth(call: GrpcCall, service: string, serving: () => boolean): StreamHandler {
  return {
    message(bytes) {
      const asked = askedService(bytes);
      if (asked === undefined) return call.failWith(GrpcStatus.internal, "the request cannot be decoded");
      if (asked !== "" && asked !== service) return call.failWith(GrpcStatus.notFound, "unknown service");
      const status = serving() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
      call.sendAndEnd(HealthCheckResponse.encode({ status }).finish());
    },
    halfClosed: () => call.failWith(GrpcStatus.internal, "a request has one message"),
    drained: () => {},
    closed: () => {},
  };
}

function askedService(bytes: Uint8Array): string | undefined {
  try {
    return HealthCheckRequest.decode(bytes).service ?? "";
  } catch {
    return undefined;
  }
}
