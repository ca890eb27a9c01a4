import { Client, credentials } from "@grpc/grpc-js";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  type HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../src/generated/proto/grpc/health/v1/health.ts";

/** What grpc.health.v1 says at a Unix socket; undefined when nobody answers within a second. */
export function grpcHealth(socket: string): Promise<ServingStatus | undefined> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      "/grpc.health.v1.Health/Check",
      (request: HealthCheckRequest) => Buffer.from(HealthCheckRequest.encode(request).finish()),
      (bytes: Buffer) => HealthCheckResponse.decode(bytes),
      {},
      { deadline: Date.now() + 1_000 },
      (_error, response) => {
        client.close();
        resolve(response?.status);
      },
    );
  });
}
