/** From what a policy or the engine answers to what the client gets. */
import { Buffer } from "node:buffer";
import type { Reply } from "@envoy-policy-engine/sdk";
import { type Failure, type FailureCode, failureCatalogue } from "../errors.ts";
import { aboutTheBytes, BodyStore } from "./body-store.ts";
import { changeableHeaderName, headerValue } from "./header-rules.ts";
import type { HeaderEntry } from "./header-store.ts";
import { Journal } from "./journal.ts";
import { assertStatus, isWithoutBody, ResponseView } from "./message-view.ts";
import { HeaderLines, type ReceivedHeaders } from "./received-headers.ts";

/** A reply that is valid but on which outer response handlers may still work. */
export interface PendingReply {
  readonly status: number;
  readonly headers: readonly HeaderEntry[];
  readonly body: Uint8Array;
  readonly grpcStatus: number | undefined;
  readonly code: string;
  readonly reason: string | undefined;
  /** The step that replied; undefined when the engine did. */
  readonly step: string | undefined;
  /** The step because of which the engine replied: it failed, or cannot have the body it needs. */
  readonly failedStep: string | undefined;
}

/** A reply as it goes to Envoy. */
export interface FinalReply extends PendingReply {
  /** Set exactly when the client speaks gRPC. */
  readonly grpcStatus: number | undefined;
}

/**
 * Checks what a handler returned. Throws a `TypeError` or `RangeError` when it is no valid reply: the step has then failed. Every property
 * is read once, and bytes are copied: what was checked is what is sent.
 */
export function acceptReply(result: unknown, step: string): PendingReply {
  if (typeof result !== "object" || result === null || Array.isArray(result))
    throw new TypeError("a handler returns nothing or a reply object");
  const { status = Number.NaN, headers = {}, body = "", grpcStatus, code = "reply", reason } = result as Partial<Reply>;
  assertStatus(status);
  if (typeof body !== "string" && !(body instanceof Uint8Array)) throw new TypeError("a reply's body is text or bytes");
  if (body.length > 0 && isWithoutBody(status)) throw new TypeError(`a reply with the status ${status} has no body`);
  if (grpcStatus !== undefined && !(Number.isInteger(grpcStatus) && grpcStatus >= 1 && grpcStatus <= 16)) {
    throw new RangeError("a reply's grpcStatus is an integer from 1 to 16");
  }
  if (typeof code !== "string" || !/^[a-z0-9][a-z0-9-]{0,63}$/.test(code)) {
    throw new TypeError("a reply's code is kebab-case, at most 64 characters");
  }
  return {
    status,
    headers: acceptHeaders(headers),
    body: typeof body === "string" ? Buffer.from(body, "utf8") : Uint8Array.from(body),
    grpcStatus,
    code,
    reason: reason === undefined ? undefined : String(reason).slice(0, 512),
    step,
    failedStep: undefined,
  };
}

function acceptHeaders(headers: NonNullable<Reply["headers"]>): readonly HeaderEntry[] {
  // A Map or the Headers of fetch would pass as an object without any.
  if (typeof headers !== "object" || headers === null || Symbol.iterator in headers) {
    throw new TypeError("a reply's headers are an object of names to values");
  }
  return Object.entries(headers).flatMap(([name, value]) => {
    const lower = changeableHeaderName(name);
    return (typeof value === "string" ? [value] : [...value]).map((one) => ({ name: lower, value: headerValue(lower, one) }));
  });
}

/** A reply that the engine makes on its own: RFC 9457 problem details, for gRPC a short text. Nothing in it helps an attacker. */
export function engineReply(code: FailureCode, id: string, grpc: boolean): PendingReply {
  const { status, title, retryAfterSeconds }: Failure = failureCatalogue[code];
  const text = grpc ? `${title} (${id})` : `${JSON.stringify({ type: "about:blank", title, status, code, decisionId: id })}\n`;
  const headers = grpc ? [] : [{ name: "content-type", value: Buffer.from("application/problem+json") }];
  if (retryAfterSeconds !== undefined) headers.push({ name: "retry-after", value: Buffer.from(String(retryAfterSeconds)) });
  return {
    status,
    headers,
    body: Buffer.from(text),
    grpcStatus: undefined,
    code,
    reason: undefined,
    step: undefined,
    failedStep: undefined,
  };
}

/** A reply of the engine's own that no response handler sees, because no chain is known or none of its steps has run. */
export function engineRefusal(code: FailureCode, id: string, grpc: boolean): FinalReply {
  const reply = engineReply(code, id, grpc);
  return finalReply(reply, replyView(reply), id, grpc);
}

/** The lines that response handlers see and change: `:status` and the headers. */
function replyHeaders(reply: PendingReply): ReceivedHeaders {
  return new HeaderLines([{ name: ":status", value: Buffer.from(String(reply.status)) }, ...reply.headers]);
}

/** What response handlers see of a reply. */
export function replyView(reply: PendingReply, journal = new Journal()): ResponseView {
  const view = new ResponseView(replyHeaders(reply), "reply", journal);
  view.body = new BodyStore(reply.body, journal);
  return view;
}

/** The reply after the response handlers, with the decision id, which no policy can set. */
export function finalReply(reply: PendingReply, view: ResponseView, id: string, grpc: boolean): FinalReply {
  const { status } = view;
  const body = view.body?.bytes ?? Buffer.alloc(0);
  const stale = view.body?.replaced === true ? aboutTheBytes : [];
  const headers = view.headers.entries().filter(({ name }) => !name.startsWith(":") && !stale.includes(name));
  return {
    ...reply,
    status,
    headers: [...headers, { name: "x-decision-id", value: Buffer.from(id) }],
    // A response handler may have changed the status to one that has none.
    body: isWithoutBody(status) ? Buffer.alloc(0) : grpc ? grpcMessage(body) : body,
    grpcStatus: grpc ? (reply.grpcStatus ?? grpcStatusOf(status)) : undefined,
  };
}

const grpcMessageBytesMax = 1024;

/** Envoy makes the header `grpc-message` of a body, percent-encoded, and clients take only so many bytes of headers. Cut between characters. */
function grpcMessage(body: Uint8Array): Uint8Array {
  if (body.length <= grpcMessageBytesMax) return body;
  let end = grpcMessageBytesMax;
  // RFC 3629 3: a character has up to three bytes after its first one, and they start with the bits 10.
  while (end > grpcMessageBytesMax - 3 && ((body[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return body.subarray(0, end);
}

/** Whether the client speaks gRPC, as Envoy 1.36 decides it: by the content-type that it received, whatever a step has made of that. */
export function isGrpc(received: ReceivedHeaders): boolean {
  const [type] = received.texts("content-type");
  return type === "application/grpc" || type?.startsWith("application/grpc+") === true;
}

/** The mapping of gRPC's `http-grpc-status-mapping.md`, as Envoy has it, with 500 as INTERNAL because the engine's own fault is no riddle. */
function grpcStatusOf(status: number): number {
  switch (status) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    case 500:
      return 13;
    default:
      return 2;
  }
}
