/**
 * The part of Envoy's ext_proc filter that a chain of headers-only steps meets: sends the messages, applies the answers to the headers as
 * Envoy 1.36 does, and hands the result to an upstream. Everything crosses as bytes, so what is tested is what is sent.
 */

import { ProcessingMode_HeaderSendMode as HeaderMode } from "../generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import {
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
  readonly attributes: Readonly<Record<string, string | number>>;
}

export interface SimulatedExchange {
  /** The request as the upstream got it; undefined when it did not reach it. */
  readonly upstream: readonly HeaderLine[] | undefined;
  /** What the client got. */
  readonly client: { readonly status: number; readonly headers: readonly HeaderLine[]; readonly body: string };
  /** The engine answered in place of the upstream. */
  readonly replied: boolean;
}

/**
 * Sends one exchange through the kernel.
 *
 * @param respond the upstream: the request's headers in, the response's out (`:status` included)
 * @throws when the engine ends the stream with an error, which a client would see as a 500 of Envoy's own
 */
export async function exchangeThroughKernel(
  open: OpenStream,
  request: SimulatedRequest,
  respond: (headers: readonly HeaderLine[]) => readonly HeaderLine[],
): Promise<SimulatedExchange> {
  const stream = new Stream(open, request.route);
  try {
    const answer = await stream.ask({
      request: { $case: "requestHeaders", value: { headers: headerMap(request.headers), endOfStream: true } },
      attributes: {
        "envoy.filters.http.ext_proc": {
          ...request.attributes,
          ...(request.route === undefined ? {} : { "xds.route_name": request.route }),
        },
      },
    });
    if (answer.response?.$case === "immediateResponse") return { upstream: undefined, ...replyOf(answer) };
    const upstream = applied(request.headers, commonMutation(answer));
    const response = respond(upstream);
    if (answer.modeOverride?.responseHeaderMode !== HeaderMode.SEND) return { upstream, ...clientSees(response) };
    const second = await stream.ask({ request: { $case: "responseHeaders", value: { headers: headerMap(response), endOfStream: true } } });
    if (second.response?.$case === "immediateResponse") return { upstream, ...replyOf(second) };
    return { upstream, ...clientSees(applied(response, commonMutation(second))) };
  } finally {
    stream.close();
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

function commonMutation(answer: ProcessingResponse): HeaderMutation {
  const { response } = answer;
  if (response?.$case !== "requestHeaders" && response?.$case !== "responseHeaders") {
    throw new Error(`unexpected answer: ${response?.$case ?? "none"}`);
  }
  return response.value.response?.headerMutation ?? {};
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
    client: { status: status?.code ?? 200, headers: applied([], headers ?? {}), body: Buffer.from(body ?? []).toString("utf8") },
    replied: true,
  };
}

function clientSees(response: readonly HeaderLine[]): Omit<SimulatedExchange, "upstream"> {
  const status = response.find(([name]) => name === ":status");
  return {
    client: { status: Number(status?.[1] ?? 200), headers: response.filter(([name]) => !name.startsWith(":")), body: "" },
    replied: false,
  };
}
