/** `POST /generations/N/rollback`: the one request of the admin port that changes something. */
import type { IncomingMessage } from "node:http";
import { json, type Page } from "./page.ts";

/** Takes an earlier generation into use again. What it resolves with is shown as it is; `kind` says how it went. */
export type RollbackSource = (
  generation: number,
  reason: string | undefined,
) => Promise<{ readonly kind: "accepted" | "unchanged" | "held" | "refused" | "unknown" }>;

/** Number of the generation, if this path is the one. */
export function rollbackTarget(path: string): number | undefined {
  const [, number] = /^\/generations\/(\d{1,15})\/rollback$/.exec(path) ?? [];
  return number === undefined ? undefined : Number(number);
}

/**
 * The port asks for no password, so this is for whoever can already act on the machine, and for no web page:
 *
 * - The connection comes from this machine, whatever address the port is bound to.
 * - A browser sends JSON to another site only after a question that this port does not answer, and always with `Origin`.
 */
export async function rollbackPage(request: IncomingMessage, generation: number, rollback: RollbackSource): Promise<Page> {
  const refusal = refusalOf(request);
  if (refusal !== undefined) return refusal;
  const text = await readText(request);
  const reason = text === undefined ? undefined : readReason(text);
  if (reason === undefined) return json(400, { error: bodyError });
  // Each policy of it may take its time to start, and nothing is read or written meanwhile.
  request.socket.setTimeout(answerTimeoutMs);
  const result = await rollback(generation, reason.text);
  return json(statuses[result.kind], result);
}

const bodyBytesMax = 4 * 1024;
const reasonLengthMax = 500;
const answerTimeoutMs = 60_000;
const bodyError = `the body must be JSON, \`{}\` or \`{ "reason": "why" }\`, the reason of at most ${reasonLengthMax} characters`;
const statuses = { accepted: 200, unchanged: 200, held: 200, unknown: 404, refused: 409 } as const;

function refusalOf({ method, socket, headers }: IncomingMessage): Page | undefined {
  // What is refused here may come with a body that is not read: nothing else can be read from the connection.
  const refused = (status: number, error: string, more = {}): Page => json(status, { error }, { connection: "close", ...more });
  if (method !== "POST") return refused(405, "only POST", { allow: "POST" });
  if (!isThisMachine(socket.remoteAddress)) return refused(403, "only from the machine or container that the engine runs in");
  if (headers.origin !== undefined) return refused(403, "not from a web page");
  if (headers["content-type"]?.split(";")[0]?.trim().toLowerCase() !== "application/json") {
    return refused(415, "send `content-type: application/json`");
  }
  return undefined;
}

function isThisMachine(address: string | undefined): boolean {
  return address === "::1" || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(address ?? "");
}

/** Undefined when it is too long or no UTF-8. */
async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return undefined;
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    return undefined;
  }
}

/** Undefined when the body is not what it must be. */
function readReason(text: string): { readonly text: string | undefined } | undefined {
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  if (Object.keys(value).some((key) => key !== "reason")) return undefined;
  if (!("reason" in value)) return { text: undefined };
  const { reason } = value;
  return typeof reason === "string" && reason.length <= reasonLengthMax ? { text: reason } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
