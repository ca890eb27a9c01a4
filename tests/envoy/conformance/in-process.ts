/** A run without Envoy: what its client and its upstream send goes through the simulated Envoy, and what becomes of it is told as by the real one. */
import { ProcessingMode_BodySendMode as BodyMode } from "../../../src/generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import {
  type BodyModes,
  exchangeThroughKernel,
  type HeaderLine,
  type SentMessage,
  type SimulatedExchange,
  type SimulatedMessage,
} from "../../../src/testing/simulated-envoy.ts";
import type { EngineDoes } from "../../conversations/conversation.ts";
import type { EngineUnderTest } from "../../conversations/engine-under-test.ts";
import type { AnswerPiece, Piece, Run, Stimulus } from "./case.ts";
import type { ClientSaw } from "./client.ts";
import { asChunk, bodyEnd, readChunks, readHead, responseFraming, statusOf } from "./http1-message.ts";
import type { Outcome } from "./outcome.ts";
import { pieceBytes } from "./pieces.ts";
import { type RawRequest, usualAnswer } from "./raw-upstream.ts";
import { recorded, type SeenExchange } from "./recorded-engine.ts";

/** @param configured what Envoy's own configuration sends of the bodies on each of its routes */
export async function outcomeInProcess(
  { open }: EngineUnderTest,
  { client: stimulus, upstream: script = {} }: Run,
  configured: ReadonlyMap<string, BodyModes>,
): Promise<Outcome> {
  const exchanges: SeenExchange[] = [];
  const [method = "", path = ""] = stimulus.request.split(" ");
  const name = /^\/([^/?]+)/.exec(path)?.[1] ?? "";
  const modes = configured.get(name);
  const { upstream, client } = await exchangeThroughKernel(
    recorded(open, (exchange) => exchanges.push(exchange)),
    {
      ...sentRequest(method, path, stimulus),
      route: modes && name,
      attributes: {},
      configured: modes ?? { request: BodyMode.NONE, response: BodyMode.NONE },
    },
    (request) => {
      const response = sentResponse(script.answer ?? usualAnswer, method);
      return script.echo === true ? { ...response, body: [...(response.body ?? []), request.body ?? new Uint8Array()] } : response;
    },
  );
  const reply = exchanges.flatMap(({ answers }) => answers).find((answer) => "reply" in answer);
  return {
    client: reply === undefined ? { ...client, body: Buffer.from(client.body), ended: "whole" } : replySeen(client, reply, method),
    requests: upstream === undefined ? [] : [onTheWire(upstream)],
    exchanges,
  };
}

function sentRequest(method: string, path: string, { headers = {}, body, endless }: Stimulus): SentMessage {
  const lines = Object.entries(headers).flatMap(([name, values]) => [values].flat().map((value): HeaderLine => [name, value]));
  const pseudo: readonly HeaderLine[] = [
    [":method", method],
    [":path", path],
    [":authority", "example.com"],
    [":scheme", "http"],
  ];
  const whole = { headers: [...pseudo, ...lines.filter(isNoFraming)], trailers: [] };
  if (body === undefined) return { ...whole, body: endless === "request" ? [] : undefined };
  const pieces: readonly Piece[] = typeof body === "string" ? [{ send: body }] : body;
  return {
    ...whole,
    body: bytesOf(pieces),
    trailers: pieces.flatMap((piece) => (isTrailers(piece) ? Object.entries(piece.trailers) : [])),
  };
}

/** The upstream's raw answer as Envoy reads it. */
function sentResponse(answer: string | readonly AnswerPiece[], method: string): SentMessage {
  return readResponse(Buffer.concat(bytesOf(typeof answer === "string" ? [{ send: answer }] : answer)), method);
}

function readResponse(bytes: Buffer, method: string): SentMessage {
  const head = readHead(bytes);
  if (head === undefined) throw new Error("the upstream's answer has no head");
  const rest = bytes.subarray(head.bytes);
  const status = statusOf(head.line);
  if (status < 200 && status !== 101) return readResponse(rest, method);
  const headers: readonly HeaderLine[] = [[":status", String(status)], ...head.headers.filter(isNoFraming)];
  const framing = responseFraming(head, method);
  if (framing.kind === "none") return { headers, body: undefined, trailers: [] };
  if (framing.kind !== "chunked") return { headers, body: [rest.subarray(0, bodyEnd(rest, framing))], trailers: [] };
  const { body, trailers } = readChunks(rest);
  return { headers, body: body.length === 0 ? [] : [body], trailers };
}

/** What Envoy makes of a reply: its length, no type of nothing, no body for HEAD, and for gRPC a response of trailers only. */
function replySeen({ status, headers, body, trailers }: SimulatedExchange["client"], { grpcStatus }: Reply, method: string): ClientSaw {
  const answer = { trailers, ended: "whole" } as const;
  if (grpcStatus !== undefined) {
    const said: readonly HeaderLine[] = [
      ["grpc-status", String(grpcStatus)],
      ["grpc-message", Buffer.from(body).toString("latin1")],
    ];
    return { ...answer, status: 200, headers: [...headers, ...said], body: Buffer.alloc(0) };
  }
  const length: HeaderLine = ["content-length", String(body.length)];
  const kept = body.length === 0 ? headers.filter(([name]) => name !== "content-type") : [...headers, length];
  return { ...answer, status, headers: kept, body: Buffer.from(method === "HEAD" ? [] : body) };
}

type Reply = Extract<EngineDoes, { readonly reply: number }>;

/** As Envoy writes it in HTTP/1.1. */
function onTheWire({ headers, body, trailers }: SimulatedMessage): RawRequest {
  const pseudo = Object.fromEntries(headers.filter(([name]) => name.startsWith(":")));
  const line = `${pseudo[":method"]} ${pseudo[":path"]} HTTP/1.1`;
  const plain: readonly HeaderLine[] = [["host", pseudo[":authority"] ?? ""], ...headers.filter(([name]) => !name.startsWith(":"))];
  const isOpen = plain.some(([name]) => name === "content-length" || name === "upgrade");
  if (body === undefined || isOpen) return { line, headers: plain, raw: Buffer.from(body ?? []) };
  const end = `0\r\n${trailers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return { line, headers: [...plain, ["transfer-encoding", "chunked"]], raw: Buffer.concat([asChunk(body), Buffer.from(end)]) };
}

const isNoFraming = ([name]: HeaderLine): boolean => name !== "transfer-encoding";

const isTrailers = (piece: Piece) => piece !== "leave" && "trailers" in piece;

function bytesOf(pieces: readonly (Piece | AnswerPiece)[]): readonly Buffer[] {
  return pieces.flatMap((piece) => (typeof piece === "object" && ("send" in piece || "fill" in piece) ? [pieceBytes(piece)] : []));
}
