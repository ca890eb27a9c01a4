/** Sends records to a collector: OTLP/HTTP with JSON (OpenTelemetry protocol 1.x, https://opentelemetry.io/docs/specs/otlp/#otlphttp). */
import { atMost, createPause } from "./pause.ts";
import type { RecordSink } from "./record-sink.ts";

export interface OtlpExporterOptions<Item> {
  /** The whole body of a request with these records. */
  readonly encode: (items: readonly Item[]) => string;
  /** One request. Rejects when there is no answer, and when the signal fires first. */
  readonly post: (body: string, signal: AbortSignal) => Promise<OtlpAnswer>;
  /** Told once when the collector takes nothing, not again while that lasts. */
  readonly failed: (error: unknown) => void;
  /** How many records may wait for the collector; those beyond are dropped. */
  readonly waitingMax: number;
  /** How long records are collected before they are sent, milliseconds. */
  readonly delayMs: number;
}

export interface OtlpAnswer {
  readonly status: number;
  readonly body: string;
}

export function createOtlpExporter<Item>(options: OtlpExporterOptions<Item>): RecordSink<Item> {
  const { encode, post, failed, waitingMax, delayMs } = options;
  const waiting: Item[] = [];
  let [written, dropped, sending] = [0, 0, 0];
  let state: "open" | "closing" | "closed" = "open";
  let failing = false;
  let pumping: Promise<void> | undefined;
  const pause = createPause();
  const ended = new AbortController();

  return {
    write(item) {
      if (state !== "open" || waiting.length + sending >= waitingMax) {
        dropped += 1;
        return;
      }
      waiting.push(item);
      if (pumping !== undefined && sending === 0 && waiting.length === batchMax) pause.cut();
      pumping ??= pump();
    },
    async close(timeoutMs) {
      state = "closing";
      pause.cut();
      if (pumping !== undefined) await atMost(pumping, timeoutMs);
      state = "closed";
      dropped += waiting.splice(0).length;
      ended.abort();
      await pumping;
    },
    counts: () => ({ written, dropped, waiting: waiting.length + sending }),
  };

  async function pump(): Promise<void> {
    while (state !== "closed") {
      if (state === "open" && waiting.length < batchMax) await pause.wait(delayMs);
      const batch = waiting.splice(0, batchMax);
      if (batch.length === 0) {
        pumping = undefined;
        return;
      }
      sending = batch.length;
      const taken = await deliver(encode(batch), batch.length);
      written += taken;
      dropped += batch.length - taken;
      sending = 0;
    }
  }

  /** How many of the records the collector has taken. */
  async function deliver(body: string, count: number): Promise<number> {
    for (let attempt = 0; ; attempt++) {
      const fate = await send(body);
      switch (fate.kind) {
        case "taken":
          failing = false;
          return Math.max(0, count - fate.rejected);
        case "refused":
          tell(fate.error);
          return 0;
        case "away":
          tell(fate.error);
          if (state !== "open" || attempt + 1 >= attemptsMax) return 0;
          await pause.wait(Math.min(firstRetryMs * 2 ** attempt, retryMaxMs));
          break;
        default:
          return fate satisfies never;
      }
    }
  }

  async function send(body: string): Promise<Fate> {
    try {
      const { status, body: answer } = await post(body, AbortSignal.any([ended.signal, AbortSignal.timeout(timeoutMs)]));
      if (status >= 200 && status < 300) return { kind: "taken", rejected: rejectedIn(answer) };
      return { kind: retriedStatuses.has(status) ? "away" : "refused", error: new Error(`the collector answers with status ${status}`) };
    } catch (error) {
      return { kind: "away", error };
    }
  }

  function tell(error: unknown): void {
    if (!failing && state !== "closed") failed(error);
    failing = true;
  }
}

type Fate =
  | { readonly kind: "taken"; readonly rejected: number }
  /** It will not take this batch, however often it is sent. */
  | { readonly kind: "refused"; readonly error: unknown }
  | { readonly kind: "away"; readonly error: unknown };

const batchMax = 512;
const attemptsMax = 5;
const firstRetryMs = 1_000;
const retryMaxMs = 30_000;
/** The default of the specification's exporters. */
const timeoutMs = 10_000;
/** OTLP/HTTP, "Retryable response codes". */
const retriedStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** OTLP/HTTP, "Partial success": how many records were not taken. An int64, which JSON has as text. */
function rejectedIn(answer: string): number {
  try {
    const { rejectedSpans = 0, rejectedLogRecords = 0 } = Object(Object(JSON.parse(answer)).partialSuccess);
    return Number(rejectedSpans) + Number(rejectedLogRecords) || 0;
  } catch {
    // The body may be empty.
    return 0;
  }
}
