/**
 * An exchange that writes down what its steps do. A class of its own: which one an exchange gets is decided when it begins, and the plain one
 * carries nothing of this.
 */
import { namesCredential } from "../config/credential-names.ts";
import { type CompiledExpression, ExpressionError } from "../expressions/expression.ts";
import type { StepOutcome } from "../observe/step-counters.ts";
import { BodyStore } from "./body-store.ts";
import { bodyUse, type Chain } from "./chain.ts";
import type { Change, ExplainedCondition, ExplainedStep } from "./explanation.ts";
import { HeaderStore } from "./header-store.ts";
import { Journal, type Noted } from "./journal.ts";
import { MetadataStore } from "./metadata-store.ts";
import type { ReceivedRequest, ReceivedResponse } from "./received.ts";
import { bodyText, headerText, holdsCredential, jsonText, type Redaction, redacted } from "./redaction.ts";
import { ExchangeRun } from "./run.ts";
import type { Call, RunHost, Settlement } from "./run-host.ts";
import type { BodyDelivery } from "./run-outcome.ts";

export interface RunRecorder {
  readonly redaction: Redaction;
  /** Gets the steps once, when nothing can run any more. Values in them are still to be redacted. */
  done(steps: readonly ExplainedStep[]): void;
}

export class RecordedRun extends ExchangeRun {
  readonly #chain: Chain;
  readonly #metadata: WatchedMetadata;
  readonly #recorder: RunRecorder;
  readonly #steps: ExplainedStep[] = [];
  /** By step, until it has come to an end. */
  readonly #conditions = new Map<number, ExplainedCondition>();

  constructor(chain: Chain, received: ReceivedRequest, host: RunHost, generation: number, recorder: RunRecorder) {
    const journal = new Journal();
    const metadata = new WatchedMetadata(journal);
    super(chain, received, host, generation, journal, metadata);
    this.#chain = chain;
    this.#metadata = metadata;
    this.#recorder = recorder;
  }

  override runResponse(received: ReceivedResponse, deadlineMs: number, delivery: BodyDelivery): ReturnType<ExchangeRun["runResponse"]> {
    this.#recorder.redaction.learn(received.headers.entries());
    // What the kernel has read meanwhile, to tell Envoy, was read by no step.
    this.#metadata.takeReads();
    return super.runResponse(received, deadlineMs, delivery);
  }

  override close(): void {
    super.close();
    const reached = new Set(this.#steps.map(({ step }) => step));
    const rest = this.#chain.steps.filter(({ name }) => !reached.has(name)).map((step) => notReached(step));
    const back = this.#steps.findIndex(({ phase }) => phase === "response");
    this.#recorder.done(this.#steps.toSpliced(back === -1 ? this.#steps.length : back, 0, ...rest));
  }

  protected override decides(call: Call, when: CompiledExpression<boolean>): boolean {
    const { result, parts } = when.explain(this.variables);
    this.#conditions.set(call.index, {
      text: when.text,
      result: "value" in result ? { value: String(result.value) } : result,
      parts: parts.map(({ text, reads, result: part }) => ({
        text,
        result: "value" in part ? { value: partText(part.value, reads) } : part,
      })),
    });
    if ("value" in result) return result.value;
    throw new ExpressionError(`${result.failure} (step \`${call.step.name}\`)`);
  }

  protected override settled(call: Call, outcome: Exclude<StepOutcome, "overrun">, settlement?: Settlement): void {
    super.settled(call, outcome, settlement);
    const { step, phase } = call;
    const called = outcome !== "skipped" && outcome !== "refused";
    this.#steps.push({
      step: step.name,
      policy: step.policy,
      phase,
      outcome,
      durationMs: called ? this.tookMs(call) : undefined,
      body: bodyUse(step, phase),
      condition: this.#conditions.get(call.index),
      reads: this.#metadata.takeReads().map(([key, value]) => ({ key, value: metadataText(key, value) })),
      changes: this.#changesSince(call.mark),
      ...outcomeFacts(settlement),
    });
    this.#conditions.delete(call.index);
  }

  #changesSince(mark: number): readonly Change[] {
    const first = new Map<string, Noted>();
    for (const noted of this.journal.since(mark)) {
      const key = `${this.#placeOf(noted)} ${noted.key}`;
      if (!first.has(key)) first.set(key, noted);
    }
    return [...first.values()].map((noted) => this.#change(noted));
  }

  #placeOf({ target }: Noted): Change["of"] {
    if (target === this.request.headers) return "request-header";
    if (target === this.request.body) return "request-body";
    if (target === this.metadata) return "metadata";
    return target instanceof BodyStore ? "response-body" : "response-header";
  }

  #change(noted: Noted): Change {
    const { target, key, previous } = noted;
    const of = this.#placeOf(noted);
    if (target instanceof HeaderStore) {
      const before = target.valuesBefore(key, previous);
      const after = target.values(key);
      for (const values of [before, after]) this.#recorder.redaction.learn(values.map((value) => ({ name: key, value })));
      return { of, name: key, before: before.map((one) => headerText(key, one)), after: after.map((one) => headerText(key, one)) };
    }
    if (target instanceof BodyStore) return { of, name: "body", before: bodyTexts(previous), after: bodyTexts(target.bytes) };
    return { of, name: key, before: metadataTexts(key, previous), after: metadataTexts(key, this.metadata.asRecord()[key]) };
  }
}

/** Metadata that notes what is asked for. */
class WatchedMetadata extends MetadataStore {
  #reads = new Map<string, unknown>();

  override get(name: string): unknown {
    const value = super.get(name);
    this.#reads.set(name, value);
    return value;
  }

  takeReads(): readonly (readonly [string, unknown])[] {
    const reads = [...this.#reads];
    this.#reads = new Map();
    return reads;
  }
}

function notReached(step: Chain["steps"][number]): ExplainedStep {
  return {
    step: step.name,
    policy: step.policy,
    phase: "request",
    outcome: "not-reached",
    durationMs: undefined,
    body: bodyUse(step, "request"),
    condition: undefined,
    reads: [],
    changes: [],
    reply: undefined,
    failure: undefined,
  };
}

function outcomeFacts(settlement: Settlement | undefined): Pick<ExplainedStep, "reply" | "failure"> {
  if (settlement === undefined) return { reply: undefined, failure: undefined };
  if ("reply" in settlement) {
    const { status, code, reason } = settlement.reply;
    return { reply: { status, code, reason }, failure: undefined };
  }
  const { code, handled, cause } = settlement;
  return { reply: undefined, failure: { code, handled, detail: messageOf(cause) } };
}

/** What a policy throws is its own object, and reading it may run its code once more. */
function messageOf(cause: unknown): string | undefined {
  try {
    return cause === undefined ? undefined : String(cause instanceof Error ? cause.message : cause);
  } catch {
    return "what the policy threw cannot be read";
  }
}

/** Whether something is true is no secret; what is compared may be. */
function partText(value: unknown, reads: readonly string[]): string {
  const secret =
    typeof value !== "boolean" &&
    value !== undefined &&
    reads.some((path) => path === "request.headers" || path === "response.headers" || namesCredential(path));
  return secret ? redacted : jsonText(value);
}

const metadataText = (key: string, value: unknown): string => (holdsCredential(key, value) ? redacted : jsonText(value));

const metadataTexts = (key: string, value: unknown): readonly string[] => (value === undefined ? [] : [metadataText(key, value)]);

const bodyTexts = (bytes: unknown): readonly string[] => (bytes instanceof Uint8Array ? [bodyText(bytes)] : []);
