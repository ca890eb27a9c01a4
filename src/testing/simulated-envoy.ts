/**
 * The part of Envoy's ext_proc filter that chains meet: sends headers and the bodies that are asked for, applies the answers as Envoy 1.36
 * does, and hands the result to an upstream. Everything crosses as bytes, so what is tested is what is sent.
 */

import {
  ProcessingMode_BodySendMode as BodyMode,
  ProcessingMode_HeaderSendMode as HeaderMode,
} from "../generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import {
  type BodyMutation,
  type CommonResponse,
  type HeaderMutation,
  ProcessingRequest,
  ProcessingResponse,
} from "../generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import type { OpenStream, StreamHandler, StreamSink } from "../kernel/transport.ts";

/** A header line as text, read and written as latin1 so that every byte survives. */
export type HeaderLine = readonly [name: string, value: string];

export interface SimulatedRequest {
  /** Envoy's route name; undefined when no route matched. */
  readonly route: string | undefined;
  /** Pseudo-headers included. */
  readonly headers: readonly HeaderLine[];
  /** Undefined: the request ends with its headers. */
  readonly body: Uint8Array | undefined;
  readonly attributes: Readonly<Record<string, string | number>>;
}

/** Headers and body as they are on the wire. */
export interface SimulatedMessage {
  readonly headers: readonly HeaderLine[];
  readonly body: Uint8Array | undefined;
}

export interface SimulatedExchange {
  /** The request as the upstream got it; undefined when it did not reach it. */
  readonly upstream: SimulatedMessage | undefined;
  /** What the client got. */
  readonly client: { readonly status: number; readonly headers: readonly HeaderLine[]; readonly body: Uint8Array };
  /** The engine answered in place of the upstream. */
  readonly replied: boolean;
}

/**
 * Sends one exchange through the kernel.
 *
 * @param respond the upstream: the request in, the response out (`:status` among its headers)
 * @throws when the engine ends the stream with an error, or does what Envoy would answer with a 500 of its own
 */
export async function exchangeThroughKernel(
  open: OpenStream,
  request: SimulatedRequest,
  respond: (request: SimulatedMessage) => SimulatedMessage,
): Promise<SimulatedExchange> {
  const stream = new Stream(open, request.route);
  try {
    const attributes = {
      "envoy.filters.http.ext_proc": {
        ...request.attributes,
        ...(request.route === undefined ? {} : { "xds.route_name": request.route }),
      },
    };
    const asked = await pass(stream, "request", request, { attributes });
    if ("reply" in asked) return { upstream: undefined, ...asked.reply };
    const upstream = asked.message;
    const response = respond(upstream);
    if (asked.responseHeaders !== HeaderMode.SEND) return { upstream, ...clientSees(response) };
    const answered = await pass(stream, "response", response, {});
    return "reply" in answered ? { upstream, ...answered.reply } : { upstream, ...clientSees(answered.message) };
  } finally {
    stream.close();
  }
}

type Passed =
  | { readonly reply: Omit<SimulatedExchange, "upstream"> }
  | { readonly message: SimulatedMessage; readonly responseHeaders: HeaderMode | undefined };

/** One direction: the headers, and the body where the answer to them asks for it. */
async function pass(
  stream: Stream,
  direction: "request" | "response",
  { headers, body }: SimulatedMessage,
  first: Partial<ProcessingRequest>,
): Promise<Passed> {
  const value = { headers: headerMap(headers), endOfStream: body === undefined };
  const answer = await stream.ask({ ...first, request: { $case: `${direction}Headers`, value } });
  if (answer.response?.$case === "immediateResponse") return { reply: replyOf(answer) };
  const changed = applied(headers, common(answer).headerMutation ?? {});
  const { modeOverride } = answer;
  const asked = direction === "request" ? modeOverride?.requestBodyMode : modeOverride?.responseBodyMode;
  const responseHeaders = modeOverride?.responseHeaderMode;
  if (body === undefined || asked !== BodyMode.BUFFERED) return { message: { headers: changed, body }, responseHeaders };
  const second = await stream.ask({ request: { $case: `${direction}Body`, value: { body, endOfStream: true } } });
  if (second.response?.$case === "immediateResponse") return { reply: replyOf(second) };
  const { headerMutation = {}, bodyMutation } = common(second);
  const message = { headers: applied(changed, headerMutation), body: replaced(body, bodyMutation) };
  // BUFFERED with headers sent: Envoy compares the length where the body is mutated (measured).
  const length = message.headers.find(([name]) => name === "content-length");
  if (bodyMutation !== undefined && length !== undefined && Number(length[1]) !== message.body.length)
    throw new Error("content-length does not fit the body");
  return { message, responseHeaders };
}

function replaced(body: Uint8Array, mutation: BodyMutation | undefined): Uint8Array {
  switch (mutation?.mutation?.$case) {
    case "body":
      return mutation.mutation.value;
    case "clearBody":
      return new Uint8Array();
    default:
      return body;
  }
}

/** The kernel's view of one stream, driven by promises. */
class Stream {
  readonly #handler: StreamHandler;
  #waiting: { readonly resolve: (answer: ProcessingResponse) => void; readonly reject: (error: Error) => void } | undefined;
  #ended: Error | undefined;

  constructor(open: OpenStream, route: string | undefined) {
    const answered = (bytes: Uint8Array): void => {
      const answer = ProcessingResponse.decode(bytes);
      if (this.#waiting === undefined) this.#ended = new Error("the engine has answered a message that was not sent");
      this.#waiting?.resolve(answer);
      this.#waiting = undefined;
    };
    const ended = (why: string): void => {
      this.#ended ??= new Error(why);
      this.#waiting?.reject(this.#ended);
    };
    const sink: StreamSink = {
      send: (bytes) => {
        answered(bytes);
        return true;
      },
      sendAndEnd: (bytes) => {
        answered(bytes);
        ended("the stream has ended with OK");
      },
      end: () => ended("the stream has ended with OK"),
      fail: (code, text) => ended(`the stream has failed: ${code}: ${text}`),
      pause: () => {},
      resume: () => {},
    };
    const metadata = { get: (key: string) => (key === "x-route" ? `r:${route ?? ""}` : undefined) };
    this.#handler = open(metadata, sink);
  }

  ask(message: ProcessingRequest): Promise<ProcessingResponse> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      this.#waiting = { resolve, reject };
      this.#handler.message(ProcessingRequest.encode(message).finish());
    });
  }

  close(): void {
    this.#handler.halfClosed();
    this.#handler.closed();
  }
}

function headerMap(lines: readonly HeaderLine[]): { headers: { key: string; rawValue: Buffer }[] } {
  return { headers: lines.map(([key, value]) => ({ key, rawValue: Buffer.from(value, "latin1") })) };
}

function common({ response }: ProcessingResponse): CommonResponse {
  if (response === undefined || !("response" in response.value)) throw new Error(`unexpected answer: ${response?.$case ?? "none"}`);
  return response.value.response ?? {};
}

/** Removals first, then each set in order; `append` unset overwrites (Envoy's mutation_utils at 1.36). */
function applied(lines: readonly HeaderLine[], mutation: HeaderMutation): readonly HeaderLine[] {
  let result = lines.filter(([name]) => !(mutation.removeHeaders ?? []).includes(name));
  for (const { header, append } of mutation.setHeaders ?? []) {
    const name = header?.key ?? "";
    if (append !== true) result = result.filter(([other]) => other !== name);
    result.push([name, Buffer.from(header?.rawValue ?? []).toString("latin1")]);
  }
  return result;
}

function replyOf(answer: ProcessingResponse): Omit<SimulatedExchange, "upstream"> {
  if (answer.response?.$case !== "immediateResponse") throw new Error("no reply");
  const { status, headers, body } = answer.response.value;
  return {
    client: { status: status?.code ?? 200, headers: applied([], headers ?? {}), body: body ?? new Uint8Array() },
    replied: true,
  };
}

function clientSees({ headers, body }: SimulatedMessage): Omit<SimulatedExchange, "upstream"> {
  const status = headers.find(([name]) => name === ":status");
  return {
    client: {
      status: Number(status?.[1] ?? 200),
      headers: headers.filter(([name]) => !name.startsWith(":")),
      body: body ?? new Uint8Array(),
    },
    replied: false,
  };
}
