/** The decision log: which exchanges leave a record, and what is known of them when they end. */
import type { DecisionLogSettings } from "../config/record-settings.ts";
import type { EndedEvent } from "../kernel/kernel-host.ts";
import type { RecordSink } from "../observe/record-sink.ts";
import { parseTraceparent } from "../observe/trace-context.ts";
import type { FailedStep } from "../worker/explanation.ts";
import type { StepFailure } from "../worker/run-host.ts";
import { type DecisionRecord, decisionRecord } from "./decision-record.ts";

export interface DecisionLog {
  /** A step failed, in an exchange that has not ended. */
  failed(failure: StepFailure): void;
  /** Once for every exchange, after everything else about it. */
  ended(event: EndedEvent): void;
}

export interface DecisionLogParts {
  readonly settings: Pick<DecisionLogSettings, "sample" | "headers">;
  readonly sink: Pick<RecordSink<DecisionRecord>, "write">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly redact: (text: string) => string;
}

export function createDecisionLog({ settings, sink, now, redact }: DecisionLogParts): DecisionLog {
  const { sample: share, headers } = settings;
  const failures = new Map<string, FailedStep[]>();
  return {
    failed({ request, step, policy, phase, code, handled }) {
      const earlier = failures.get(request.id) ?? [];
      failures.set(request.id, earlier);
      earlier.push({ step, policy, phase, code, handled });
    },
    ended(event) {
      const failed = failures.get(event.id) ?? [];
      failures.delete(event.id);
      const always = failed.length > 0 || isAlwaysWritten(event);
      if (!always && (event.request === undefined || !isSampled(event.id, share))) return;
      const trace = parseTraceparent(event.metadata.get("traceparent"));
      const sample = always ? undefined : share;
      sink.write(decisionRecord({ event, failures: failed, trace, sample, headers, now: now(), redact }));
    },
  };
}

function isAlwaysWritten({ end }: EndedEvent): boolean {
  return end === "replied" || end === "failed" || end === "body-not-sent";
}

/** By the id alone, so that everybody who knows the id and the share comes to the same choice. FNV-1a over its characters, 32 bits. */
function isSampled(id: string, share: number): boolean {
  if (share <= 0) return false;
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return (hash >>> 0) / 2 ** 32 < share;
}
