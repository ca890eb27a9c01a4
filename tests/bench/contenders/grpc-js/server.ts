// An ext_proc server that sets two request headers, as a Node programmer would write it: @grpc/grpc-js and ts-proto, nothing tuned.
// But for one thing: as published it would lose every hundredth request behind Envoy (`src/transport/reset-limit.ts`), and wrong answers are not measured.
import process from "node:process";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import {
  HeaderValueOption_HeaderAppendAction as HeaderAppendAction,
  type HeaderValueOption,
} from "../../../../src/generated/proto/envoy/config/core/v3/base.ts";
import { ProcessingRequest, ProcessingResponse } from "../../../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import { liftResetLimit } from "../../../../src/transport/reset-limit.ts";

const [socket] = process.argv.slice(2);
if (socket === undefined) throw new Error("usage: server.ts SOCKET");
const server = new Server();
liftResetLimit(server, process.versions.node);
server.addService(
  {
    process: {
      path: "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
      requestStream: true,
      responseStream: true,
      requestSerialize: (message: ProcessingRequest) => Buffer.from(ProcessingRequest.encode(message).finish()),
      requestDeserialize: (bytes: Buffer) => ProcessingRequest.decode(bytes),
      responseSerialize: (message: ProcessingResponse) => Buffer.from(ProcessingResponse.encode(message).finish()),
      responseDeserialize: (bytes: Buffer) => ProcessingResponse.decode(bytes),
    },
  },
  {
    process(call: ServerDuplexStream<ProcessingRequest, ProcessingResponse>) {
      call.on("data", (message: ProcessingRequest) => call.write(answer(message)));
      call.on("end", () => call.end());
      // Envoy resets streams when their exchange is over.
      call.on("error", () => {});
    },
  },
);
server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});

function answer(message: ProcessingRequest): ProcessingResponse {
  switch (message.request?.$case) {
    case "requestHeaders": {
      const setHeaders = [set("x-bench-a", "alpha"), set("x-bench-route", route(message))];
      return {
        response: { $case: "requestHeaders", value: { response: { headerMutation: { setHeaders, removeHeaders: [] } } } },
      };
    }
    case "responseHeaders":
      return { response: { $case: "responseHeaders", value: {} } };
    case "requestBody":
      return { response: { $case: "requestBody", value: {} } };
    case "responseBody":
      return { response: { $case: "responseBody", value: {} } };
    case "requestTrailers":
      return { response: { $case: "requestTrailers", value: {} } };
    default:
      return { response: { $case: "responseTrailers", value: {} } };
  }
}

/** The name of the route, so that what Envoy sent has been read and not only passed by. */
function route(message: ProcessingRequest): string {
  const name: unknown = message.attributes?.["envoy.filters.http.ext_proc"]?.["xds.route_name"];
  return typeof name === "string" ? name : "";
}

function set(key: string, value: string): HeaderValueOption {
  return { header: { key, rawValue: Buffer.from(value) }, appendAction: HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD };
}
