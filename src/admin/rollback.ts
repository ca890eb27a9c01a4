/** `POST /generations/N/rollback`: the one request of the admin port that changes something. See `local-post.ts` for who may. */
import type { IncomingMessage } from "node:http";
import { readText, refusalOf } from "./local-post.ts";
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

export async function rollbackPage(request: IncomingMessage, generation: number, rollback: RollbackSource): Promise<Page> {
  const refusal = refusalOf(request);
  if (refusal !== undefined) return refusal;
  const text = await readText(request, bodyBytesMax);
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
