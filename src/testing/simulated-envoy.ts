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

export interface SimulatedRequest extends SentMessage {
  /** Envoy's route name; undefined when no route matched. */
  readonly route: string | undefined;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** What Envoy's own configuration sends of the bodies, without being asked. */
  readonly configured: BodyModes;
}

export interface BodyModes {
  readonly request: BodyMode;
  readonly response: BodyMode;
}

/** A message as somebody sends it. */
export interface SentMessage {
  /** Pseudo-headers included. */
  readonly headers: readonly HeaderLine[];
  /** In the pieces in which it comes; none of them is no data. Undefined: the message ends with its headers. */
  readonly body: readonly Uint8Array[] | undefined;
  /** Behind the body; none if empty. */
  readonly trailers: readonly HeaderLine[];
}

/** A message as it arrives. */
export interface SimulatedMessage {
  readonly headers: readonly HeaderLine[];
  readonly body: Uint8Array | undefined;
  readonly trailers: readonly HeaderLine[];
  /** The engine has broken it off after its headers: the body is what came before, and its receiver sees that it is not all. */
  readonly cut?: true;
}

export interface SimulatedExchange {
  /** The request as the upstream got it; undefined when it did not reach it. */
  readonly upstream: SimulatedMessage | undefined;
  /** What the client got. */
  readonly client: {
    readonly status: number;
    readonly headers: readonly HeaderLine[];
    readonly body: Uint8Array;
    readonly trailers: readonly HeaderLine[];
    readonly cut?: true;
  };
  /** The engine answered in place of the upstream. */
  readonly replied: boolean;
}

/**
 * Sends one exchange through the kernel.
 *
 * @param respond the upstream: the request in, the response out (`:status` among its headers)
 * @throws when the engine ends the stream with an error before the response has begun, or does what Envoy would answer with a 500 of its own
 */
export async function exchangeThroughKernel(
  open: OpenStream,
  request: SimulatedRequest,
  respond: (request: SimulatedMessage) => SentMessage,
): Promise<SimulatedExchange> {
  const stream = new Stream(open, request.route);
  try {
    const attributes = {
      "envoy.filters.http.ext_proc": {
        ...request.attributes,
        ...(request.route === undefined ? {} : { "xds.route_name": request.route }),
      },
    };
    const { configured } = request;
    const protocolConfig = { requestBodyMode: configured.request, responseBodyMode: configured.response };
    const asked = await pass(stream, "request", request, configured, { attributes, protocolConfig });
    if ("reply" in asked) return { upstream: undefined, ...asked.reply };
    const upstream = asked.message;
    const response = respond(upstream);
    if (asked.responseHeaders !== HeaderMode.SEND) return { upstream, ...clientSees(whole(response)) };
    const answered = await pass(stream, "response", response, asked.modes, {});
    return "reply" in answered ? { upstream, ...answered.reply } : { upstream, ...clientSees(answered.message) };
  } finally {
    stream.close();
  }
}

type Passed =
  | { readonly reply: Omit<SimulatedExchange, "upstream"> }
  | { readonly message: SimulatedMessage; readonly responseHeaders: HeaderMode | undefined; readonly modes: BodyModes };

/** One direction: the headers, and the body in the way in which the answer to them asks for it. */
async function pass(
  stream: Stream,
  direction: Direction,
  sent: SentMessage,
  inForce: BodyModes,
  first: Partial<ProcessingRequest>,
): Promise<Passed> {
  const { headers, body } = sent;
  const value = { headers: headerMap(headers), endOfStream: body === undefined };
  const answer = await stream.ask({ ...first, request: { $case: `${direction}Headers`, value } });
  if (answer.response?.$case === "immediateResponse") return { reply: replyOf(answer) };
  const { modeOverride } = answer;
  // An override says all six: what it leaves out is NONE.
  const modes =
    modeOverride === undefined
      ? inForce
      : { request: modeOverride.requestBodyMode ?? BodyMode.NONE, response: modeOverride.responseBodyMode ?? BodyMode.NONE };
  const changed = { ...sent, headers: applied(headers, common(answer).headerMutation ?? {}) };
  // What comes after OK passes without being asked about.
  const passed = await passBody(stream, direction, body === undefined || stream.isOver ? BodyMode.NONE : modes[direction], changed);
  if ("headers" in passed) return { message: passed, responseHeaders: modeOverride?.responseHeaderMode, modes };
  return { reply: replyOf(passed) };
}

type Direction = "request" | "response";

async function passBody(
  stream: Stream,
  direction: Direction,
  mode: BodyMode | undefined,
  message: SentMessage,
): Promise<SimulatedMessage | ProcessingResponse> {
  switch (mode) {
    case BodyMode.BUFFERED:
      return await passWhole(stream, direction, message);
    case BodyMode.FULL_DUPLEX_STREAMED:
      return await passPieces(stream, direction, message);
    default:
      return whole(message);
  }
}

async function passWhole(stream: Stream, direction: Direction, sent: SentMessage): Promise<SimulatedMessage | ProcessingResponse> {
  const { headers, body, trailers } = whole(sent);
  // Trailers without data: there is no body message (measured).
  if (trailers.length > 0 && sent.body?.length === 0) return await passTrailers(stream, direction, { headers, body, trailers });
  const endOfStream = trailers.length === 0;
  const answer = await stream.ask({ request: { $case: `${direction}Body`, value: { body: body ?? new Uint8Array(), endOfStream } } });
  if (answer.response?.$case === "immediateResponse") return answer;
  const { headerMutation = {}, bodyMutation } = common(answer);
  const message = { headers: applied(headers, headerMutation), body: replaced(body ?? new Uint8Array(), bodyMutation), trailers };
  // BUFFERED with headers sent: Envoy compares the length where the body is mutated (measured).
  const length = message.headers.find(([name]) => name === "content-length");
  if (bodyMutation !== undefined && length !== undefined && Number(length[1]) !== message.body.length)
    throw new Error("content-length does not fit the body");
  return endOfStream || stream.isOver ? message : await passTrailers(stream, direction, message);
}

async function passTrailers(
  stream: Stream,
  direction: Direction,
  message: SimulatedMessage,
): Promise<SimulatedMessage | ProcessingResponse> {
  const { trailers } = message;
  const answer = await stream.ask({ request: { $case: `${direction}Trailers`, value: { trailers: headerMap(trailers) } } });
  return answer.response?.$case === "immediateResponse" ? answer : { ...message, trailers: applied(trailers, trailerMutation(answer)) };
}

/** What is not sent back is lost, and nothing says how many answers there will be. */
async function passPieces(stream: Stream, direction: Direction, sent: SentMessage): Promise<SimulatedMessage | ProcessingResponse> {
  const { body = [], trailers } = sent;
  // Where its own configuration says this mode Envoy does not send the length on (measured).
  const headers = sent.headers.filter(([name]) => name !== "content-length");
  for (const [index, piece] of body.entries()) {
    const endOfStream = trailers.length === 0 && index === body.length - 1;
    stream.say({ request: { $case: `${direction}Body`, value: { body: piece, endOfStream } } });
  }
  if (trailers.length > 0) stream.say({ request: { $case: `${direction}Trailers`, value: { trailers: headerMap(trailers) } } });
  const parts: Uint8Array[] = [];
  for (;;) {
    const answer = await stream.next().catch((error: unknown) => {
      if (direction === "response" && error instanceof StreamFailedError) return undefined;
      throw error;
    });
    if (answer === undefined) return { headers, body: Buffer.concat(parts), trailers: [], cut: true };
    if (answer.response?.$case === "immediateResponse") return answer;
    if (answer.response?.$case === `${direction}Trailers`) {
      return { headers, body: Buffer.concat(parts), trailers: applied(trailers, trailerMutation(answer)) };
    }
    const mutation = common(answer).bodyMutation?.mutation;
    if (answer.response?.$case !== `${direction}Body` || mutation?.$case !== "streamedResponse")
      throw new Error("no part of a streamed body");
    parts.push(mutation.value.body ?? new Uint8Array());
    if (mutation.value.endOfStream === true) return { headers, body: Buffer.concat(parts), trailers: [] };
  }
}

function whole({ headers, body, trailers }: SentMessage): SimulatedMessage {
  const [first, ...rest] = body ?? [];
  // A body that comes in no piece is an empty one, and not none.
  return { headers, body: body && (first === undefined || rest.length > 0) ? Buffer.concat(body) : first, trailers };
}

function replaced(body: Uint8Array, mutation: BodyMutation | undefined): Uint8Array {
  switch (mutation?.mutation?.$case) {
    case "body":
      return mutation.mutation.value;
    case "clearBody":
      return new Uint8Array();
    case "streamedResponse":
      throw new Error("a part of a streamed body in place of a whole one");
    default:
      return body;
  }
}

/** The engine has ended the stream with an error. */
class StreamFailedError extends Error {}

/** The kernel's view of one stream, driven by promises. */
class Stream {
  readonly #handler: StreamHandler;
  readonly #answers: ProcessingResponse[] = [];
  #waiting: { readonly resolve: (answer: ProcessingResponse) => void; readonly reject: (error: Error) => void } | undefined;
  #ended: Error | undefined;

  constructor(open: OpenStream, route: string | undefined) {
    const answered = (bytes: Uint8Array): void => {
      const answer = ProcessingResponse.decode(bytes);
      if (this.#waiting === undefined) this.#answers.push(answer);
      else this.#waiting.resolve(answer);
      this.#waiting = undefined;
    };
    const ended = (error: Error): void => {
      this.#ended ??= error;
      this.#waiting?.reject(this.#ended);
    };
    const sink: StreamSink = {
      send: (bytes) => {
        answered(bytes);
        return true;
      },
      sendAndEnd: (bytes) => {
        answered(bytes);
        ended(new Error("the stream has ended with OK"));
      },
      end: () => ended(new Error("the stream has ended with OK")),
      fail: (code, text) => ended(new StreamFailedError(`the stream has failed: ${code}: ${text}`)),
      pause: () => {},
      resume: () => {},
    };
    const metadata = { get: (key: string) => (key === "x-route" ? `r:${route ?? ""}` : undefined) };
    this.#handler = open(metadata, sink);
  }

  get isOver(): boolean {
    return this.#ended !== undefined;
  }

  ask(message: ProcessingRequest): Promise<ProcessingResponse> {
    if (this.#answers.length > 0) throw new Error("the engine has answered a message that was not sent");
    this.say(message);
    return this.next();
  }

  say(message: ProcessingRequest): void {
    if (this.#ended === undefined) this.#handler.message(ProcessingRequest.encode(message).finish());
  }

  /** Rejects when the stream has ended without one. */
  next(): Promise<ProcessingResponse> {
    const answer = this.#answers.shift();
    if (answer !== undefined) return Promise.resolve(answer);
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
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

function trailerMutation({ response }: ProcessingResponse): HeaderMutation {
  if (response?.$case !== "requestTrailers" && response?.$case !== "responseTrailers") {
    throw new Error(`unexpected answer: ${response?.$case ?? "none"}`);
  }
  return response.value.headerMutation ?? {};
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
    client: { status: status?.code ?? 200, headers: applied([], headers ?? {}), body: body ?? new Uint8Array(), trailers: [] },
    replied: true,
  };
}

function clientSees({ headers, body, trailers, cut }: SimulatedMessage): Omit<SimulatedExchange, "upstream"> {
  const status = headers.find(([name]) => name === ":status");
  return {
    client: {
      status: Number(status?.[1] ?? 200),
      headers: headers.filter(([name]) => !name.startsWith(":")),
      body: body ?? new Uint8Array(),
      trailers,
      ...(cut && { cut }),
    },
    replied: false,
  };
}
