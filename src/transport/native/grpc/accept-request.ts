import type { OpenStream } from "../../../kernel/transport.ts";
import type { AcceptRequest } from "../http2/incoming-frames.ts";
import type { RequestHead } from "../http2/request-head.ts";
import type { Http2Stream } from "../http2/stream.ts";
import { GrpcCall } from "./call.ts";
import { checkHealth } from "./health.ts";
import { MessageCopies } from "./message-copies.ts";
import { RequestMetadata } from "./metadata.ts";
import { plainAnswer } from "./plain-answer.ts";
import { GrpcStatus } from "./status.ts";

export interface GrpcServices {
  /** Takes streams of ext_proc. */
  readonly open: OpenStream;
  /** What grpc.health.v1 says. */
  readonly serving: () => boolean;
  /** The largest message that is accepted, bytes. */
  readonly messageBytesMax: number;
}

/** The services of this server: ext_proc and health. */
export function createAcceptRequest({ open, serving, messageBytesMax }: GrpcServices): AcceptRequest {
  const copies = new MessageCopies();
  return (stream, head) => {
    const refusal = refuseNoGrpc(stream, head);
    if (refusal !== undefined) return refusal;
    const call = new GrpcCall(stream, messageBytesMax, copies);
    if (head.grpcEncoding !== "identity") call.failWith(GrpcStatus.unimplemented, "messages may not be compressed");
    else if (head.path === processPath) call.open(open, new RequestMetadata(head.fields));
    else if (head.path === healthPath) call.open(() => checkHealth(call, extProcService, serving), new RequestMetadata(head.fields));
    else call.failWith(GrpcStatus.unimplemented, "this server has no such method");
    return call;
  };
}

const extProcService = "envoy.service.ext_proc.v3.ExternalProcessor";
const processPath = `/${extProcService}/Process`;
const healthPath = "/grpc.health.v1.Health/Check";

function refuseNoGrpc(stream: Http2Stream, { method, contentType }: RequestHead): ReturnType<AcceptRequest> | undefined {
  if (method !== "POST") return plainAnswer(stream, "405", "This port speaks gRPC: requests are POST.\n");
  // gRPC over HTTP/2: `application/grpc`, and a format behind `+`.
  if (contentType !== "application/grpc" && !/^application\/grpc(?:[+;]|$)/.test(contentType))
    return plainAnswer(stream, "415", "This port speaks gRPC: content-type is application/grpc.\n");
  return undefined;
}
