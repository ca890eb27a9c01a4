import { createHash } from "node:crypto";
import type { SourceDocument } from "../config/types.ts";
import { pollDelayMs, retryDelayMs } from "./pace.ts";
import type { Provider, ProviderSink } from "./provider.ts";
import type { ProviderStatistics } from "./statistics.ts";

export interface HttpProviderOptions {
  readonly name: string;
  /** One document each. */
  readonly urls: readonly string[];
  readonly intervalMs: number;
  /** How long one question may take, its whole answer included, milliseconds. */
  readonly timeoutMs: number;
  /** Where statistics go with each question; undefined: nowhere. */
  readonly report: { readonly url: string; readonly node: string } | undefined;
  /** Rejects when there is no answer, when it is a redirect and when its body is larger than allowed. */
  readonly fetch: (url: string, question: HttpQuestion) => Promise<Response>;
  readonly startTimer: (milliseconds: number, expired: () => void) => () => void;
  /** From 0 to less than 1. */
  readonly random: () => number;
}

export interface HttpQuestion {
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/**
 * Configuration from web servers: asked for again and again, with the last ETag. All documents are delivered together, whenever one of them is
 * another one, and again with the first success after a failure.
 *
 * Whatever is not clearly a whole YAML document is a failure of the source: a status other than 200 (and 304), another content type, an answer
 * that does not say how long it is, one that ends before, text that is not UTF-8. Several documents are not of one moment: what changes together
 * belongs into one.
 */
export function httpProvider(options: HttpProviderOptions): Provider {
  const { name, urls, intervalMs, startTimer, random } = options;
  const ending = new AbortController();
  let known: readonly (Known | undefined)[] = urls.map(() => undefined);
  let delivered: string | undefined;
  let failures = 0;
  let reporting: "idle" | "under way" = "idle";
  let stopTimer = (): void => {};

  return {
    name,
    start: (sink) => poll(sink),
    async close() {
      ending.abort();
      stopTimer();
    },
  };

  /** Resolves when what it has found was judged. The next one does not wait for that: what is judged may have to wait for other providers. */
  async function poll(sink: ProviderSink): Promise<void> {
    void report(sink);
    const judged = await deliverNews(sink);
    if (ending.signal.aborted) return;
    const delayMs = failures === 0 ? pollDelayMs(intervalMs, random) : retryDelayMs(failures, intervalMs, random);
    stopTimer = startTimer(delayMs, () => void poll(sink));
    await judged.verdict.catch((error: unknown) => sink.failed(asError(error)));
  }

  /** Beside the questions, which do not wait for it. Never rejects. */
  async function report(sink: ProviderSink): Promise<void> {
    const statistics = options.report && sink.statistics();
    if (options.report === undefined || statistics === undefined || reporting === "under way") return;
    reporting = "under way";
    const failure = await sendStatistics(options.report, statistics, options, ending.signal).then(() => undefined, asError);
    reporting = "idle";
    if (!ending.signal.aborted) sink.reported(failure);
  }

  async function deliverNews(sink: ProviderSink): Promise<{ readonly verdict: Promise<unknown> }> {
    try {
      const found = await Promise.all(urls.map((url, index) => fetchDocument(url, known[index], options, ending.signal)));
      if (ending.signal.aborted) return { verdict: Promise.resolve() };
      const documents = found.map(({ document }) => document);
      const version = versionOf(documents);
      const isNews = failures > 0 || version !== delivered;
      [known, delivered, failures] = [found, version, 0];
      return { verdict: isNews ? sink.update(documents, version) : Promise.resolve() };
    } catch (error) {
      failures += 1;
      if (!ending.signal.aborted) sink.failed(asError(error));
      return { verdict: Promise.resolve() };
    }
  }
}

interface Known {
  readonly document: SourceDocument;
  readonly etag: string | null;
}

async function fetchDocument(url: string, known: Known | undefined, options: HttpProviderOptions, ending: AbortSignal): Promise<Known> {
  const uri = shownUrl(url);
  return inTime(`cannot read \`${uri}\``, options, ending, async (signal) => {
    const etag = known?.etag ?? undefined;
    const headers = { accept, ...(etag === undefined ? {} : { "if-none-match": etag }) };
    const response = await options.fetch(url, { method: "GET", headers, signal });
    if (response.status === 304 && known !== undefined && etag !== undefined) return known;
    return { document: { uri, text: await readDocument(response) }, etag: response.headers.get("etag") };
  });
}

async function sendStatistics(
  { url, node }: NonNullable<HttpProviderOptions["report"]>,
  statistics: ProviderStatistics,
  options: HttpProviderOptions,
  ending: AbortSignal,
): Promise<void> {
  await inTime(`cannot report to \`${shownUrl(url)}\``, options, ending, async (signal) => {
    const headers = { "content-type": "application/json" };
    const { ok, status } = await options.fetch(url, { method: "POST", headers, body: JSON.stringify({ node, ...statistics }), signal });
    if (!ok) throw new Error(`the server answers ${status}, not 2xx`);
  });
}

/** Rejects with what cannot be done and why, also when it takes too long. */
async function inTime<Result>(
  failure: string,
  { timeoutMs, startTimer }: HttpProviderOptions,
  ending: AbortSignal,
  task: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const late = new AbortController();
  const stopTimer = startTimer(timeoutMs, () => late.abort());
  try {
    return await task(AbortSignal.any([late.signal, ending]));
  } catch (error) {
    const reason = late.signal.aborted ? `there is no whole answer within ${timeoutMs} ms` : asError(error).message;
    throw new Error(`${failure}: ${reason}`, { cause: error });
  } finally {
    stopTimer();
  }
}

/** A query may be a signature: it is in no message. */
function shownUrl(url: string): string {
  return url.split("?")[0] ?? url;
}

/** RFC 9512 and what servers say in its place; JSON is YAML. */
const contentTypes = [
  "application/yaml",
  "application/x-yaml",
  "text/yaml",
  "text/x-yaml",
  "text/vnd.yaml",
  "application/json",
  "text/plain",
];
const accept = "application/yaml, application/json;q=0.9, text/plain;q=0.5";

async function readDocument(response: Response): Promise<string> {
  const { status, headers } = response;
  if (status !== 200) throw new Error(`the server answers ${status}, not 200`);
  const [type = "", ...parameters] = (headers.get("content-type") ?? "")
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  if (!contentTypes.includes(type)) throw new Error(`the content type is \`${type}\`, not one of: ${contentTypes.join(", ")}`);
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  if (charset !== undefined && !/^charset="?utf-8"?$/.test(charset)) throw new Error(`the text is not UTF-8 but \`${charset}\``);
  if (!headers.has("content-length") && headers.get("transfer-encoding")?.toLowerCase() !== "chunked") {
    throw new Error("the answer does not say how long it is: one that was cut short would look whole");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await response.arrayBuffer());
  } catch {
    throw new Error("the text is not UTF-8");
  }
}

/** By content: a server that starts again may give other ETags to the same documents, and the same to others. */
function versionOf(documents: readonly SourceDocument[]): string {
  const hash = createHash("sha256");
  for (const { text } of documents) hash.update(`${Buffer.byteLength(text)}:`).update(text);
  return hash.digest("hex");
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
