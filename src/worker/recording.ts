/**
 * What happened to one exchange, step by step. A separate path: a recorded exchange runs in a `RecordedRun`, all others carry nothing of it.
 * Names of headers and metadata are recorded, values are not, because any of them may be a secret.
 */
import type { StepOutcome, StepPhase } from "../observe/step-counters.ts";
import type { Chain } from "./chain.ts";
import { decodeText } from "./header-store.ts";
import type { Undoable } from "./journal.ts";
import type { ReceivedRequest } from "./received.ts";
import type { FinalReply, PendingReply } from "./reply.ts";
import { type Call, ExchangeRun, type RunHost } from "./run.ts";

export interface ExchangeRecording {
  /** The engine's id of the exchange: `x-decision-id` where there was a reply. */
  readonly id: string;
  /** Envoy's `x-request-id`; undefined when it is longer than 128 bytes. */
  readonly requestId: string | undefined;
  readonly time: string;
  readonly generation: number | undefined;
  readonly route: string;
  readonly chain: string | undefined;
  readonly steps: readonly RecordedStep[];
  /** How the engine or a step answered; absent when the exchange went on to the upstream. */
  readonly reply?: { readonly status: number; readonly code: string; readonly step: string | undefined };
}

export interface RecordedStep {
  readonly step: string;
  readonly policy: string;
  readonly phase: StepPhase;
  readonly outcome: StepOutcome;
  readonly durationMs: number;
  /** What the step changed: `request header x-user`, `metadata auth`. */
  readonly changed: readonly string[];
  readonly reply?: { readonly status: number; readonly code: string; readonly reason: string | undefined };
}

/** An exchange that writes down what its steps do. `done` gets the steps when nothing can run any more. */
export class RecordedRun extends ExchangeRun {
  readonly #steps: RecordedStep[] = [];
  readonly #host: RunHost;
  readonly #done: (steps: readonly RecordedStep[]) => void;

  constructor(chain: Chain, received: ReceivedRequest, host: RunHost, done: (steps: readonly RecordedStep[]) => void) {
    super(chain, received, host);
    this.#host = host;
    this.#done = done;
  }

  override close(): void {
    super.close();
    this.#done(this.#steps);
  }

  protected override settled(call: Call, outcome: StepOutcome, reply?: PendingReply): void {
    super.settled(call, outcome, reply);
    this.#steps.push({
      step: call.step.name,
      policy: call.step.policy,
      phase: call.phase,
      outcome,
      durationMs: this.#host.monotonicMs() - call.startedMs,
      changed: [...new Set(this.journal.since(call.mark).map(({ target, key }) => `${this.#nameOf(target)} ${key}`))],
      ...(reply === undefined ? {} : { reply: { status: reply.status, code: reply.code, reason: reply.reason } }),
    });
  }

  #nameOf(target: Undoable): string {
    if (target === this.request.headers) return "request header";
    if (target === this.request.body) return "request";
    if (target === this.response?.body) return "response";
    return target === this.metadata ? "metadata" : "response header";
  }
}

/** The last recordings, found by Envoy's request id or by the engine's id. */
export interface Recordings {
  add(request: ReceivedRequest, chain: string | undefined, generation: number | undefined, steps: readonly RecordedStep[]): void;
  replied(id: string, reply: FinalReply): void;
  find(id: string): ExchangeRecording | undefined;
}

/** Envoy's own are UUIDs; a client that may choose its id could fill the memory with it. */
const requestIdBytesMax = 128;

/** @param exchangesMax how many are kept; the oldest go first */
export function createRecordings(exchangesMax: number): Recordings {
  const byId = new Map<string, ExchangeRecording>();
  const idOfRequest = new Map<string, string>();

  const forget = (id: string): void => {
    const requestId = byId.get(id)?.requestId;
    byId.delete(id);
    if (requestId !== undefined && idOfRequest.get(requestId) === id) idOfRequest.delete(requestId);
  };

  return {
    add(request, chain, generation, steps) {
      const { id, route, time } = request;
      const requestId = request.headers.values("x-request-id").find((value) => value.length <= requestIdBytesMax);
      const recording: ExchangeRecording = {
        ...byId.get(id),
        id,
        requestId: requestId === undefined ? undefined : decodeText(requestId),
        time: new Date(time).toISOString(),
        generation,
        route: route.name,
        chain,
        steps,
      };
      byId.set(id, recording);
      if (recording.requestId !== undefined) idOfRequest.set(recording.requestId, id);
      const [oldest] = byId.keys();
      if (byId.size > exchangesMax && oldest !== undefined) forget(oldest);
    },
    replied(id, { status, code, step }) {
      const recording = byId.get(id);
      if (recording !== undefined) byId.set(id, { ...recording, reply: { status, code, step } });
    },
    find: (id) => byId.get(id) ?? byId.get(idOfRequest.get(id) ?? ""),
  };
}
