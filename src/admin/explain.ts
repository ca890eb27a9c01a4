/** `POST /explain`: what the configuration in use does to an exchange that somebody describes. See `local-post.ts` for who may ask. */
import type { IncomingMessage } from "node:http";
import { readText, refusalOf } from "./local-post.ts";
import { json, type Page } from "./page.ts";

/** Explains the exchange that a text describes. What it resolves with is shown; `kind` says how it went. */
export type ExplainSource = (text: string) => Promise<ExplainResult>;

export type ExplainResult =
  | { readonly kind: "explained"; readonly body: object }
  /** The text is not what it must be, or the policies do not start. */
  | { readonly kind: "refused"; readonly body: object }
  /** There is no valid configuration yet. */
  | { readonly kind: "not-ready"; readonly body: object }
  /** One is explained at a time. */
  | { readonly kind: "busy"; readonly body: object };

export const explainPath = "/explain";

export async function explainPage(request: IncomingMessage, explain: ExplainSource): Promise<Page> {
  const refusal = refusalOf(request);
  if (refusal !== undefined) return refusal;
  const text = await readText(request, bodyBytesMax);
  if (text === undefined)
    return json(413, { error: `the body is larger than ${bodyBytesMax} bytes, or no UTF-8` }, { connection: "close" });
  // Each policy of the chain may take its time, and nothing is read or written meanwhile.
  request.socket.setTimeout(answerTimeoutMs);
  const { kind, body } = await explain(text);
  return json(statuses[kind], body);
}

const bodyBytesMax = 1024 * 1024;
const answerTimeoutMs = 60_000;
const statuses = { explained: 200, refused: 400, "not-ready": 503, busy: 429 } as const;
