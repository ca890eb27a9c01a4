/** A client that sends what a case says, over HTTP/1.1 as raw bytes or over HTTP/2 frame by frame. */
import type { HeaderLine } from "../../../scripts/processes/header-lines.ts";
import type { Piece, Protocol, Stimulus } from "./case.ts";
import { sendOverHttp1 } from "./http1-client.ts";
import { sendOverHttp2 } from "./http2-client.ts";

export interface ClientSaw {
  readonly status: number | "gone";
  readonly headers: readonly HeaderLine[];
  readonly body: Buffer;
  readonly trailers: readonly HeaderLine[];
  readonly ended: "whole" | "cut";
}

/** A stimulus with every default filled in. */
export interface WholeStimulus {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly HeaderLine[];
  /** Undefined: the request ends with its headers. */
  readonly pieces: readonly Piece[] | undefined;
  readonly endless: Stimulus["endless"];
}

/** Resolves with what came back, whole or not. Rejects when neither an end nor an answer came in 10 s. */
export function sendRequest(port: number, { request, headers = {}, body, endless }: Stimulus, protocol: Protocol): Promise<ClientSaw> {
  const [method = "", path = ""] = request.split(" ");
  const lines = Object.entries(headers).flatMap(([name, values]) => [values].flat().map((value): HeaderLine => [name, value]));
  const stimulus = {
    method,
    path,
    headers: lines,
    pieces: typeof body === "string" ? [{ send: body }] : body,
    endless,
  };
  return protocol === "http1" ? sendOverHttp1(port, stimulus) : sendOverHttp2(port, stimulus);
}
