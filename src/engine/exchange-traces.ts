/**
 * Spans of the exchanges that Envoy traces: one for the exchange under Envoy's own span of its question, and one for each handler. The trace context is
 * that of the ext_proc stream, which Envoy writes. The request's own `traceparent` is the client's, who could have every request traced.
 */
import type { EndedEvent } from "../kernel/kernel-host.ts";
import type { StreamMetadata } from "../kernel/transport.ts";
import type { Span } from "../observe/otlp-spans.ts";
import type { RecordSink } from "../observe/record-sink.ts";
import type { StepCounters, StepOutcome, StepPhase } from "../observe/step-counters.ts";
import { parseTraceparent, type TraceContext } from "../observe/trace-context.ts";
import type { BoundStep, Chain } from "../worker/chain.ts";
import type { ReceivedRequest } from "../worker/received.ts";
import type { RunHost } from "../worker/run-host.ts";

export interface ExchangeTraces {
  /** What a run is to be given in place of `host`: the same, unless the exchange is traced. */
  hostFor(chain: Chain, request: ReceivedRequest, metadata: StreamMetadata, host: RunHost): RunHost;
  ended(event: EndedEvent): void;
}

export function createExchangeTraces(sink: Pick<RecordSink<Span>, "write">): ExchangeTraces {
  return {
    hostFor(chain, request, metadata, host) {
      const trace = sampledTrace(metadata);
      return trace === undefined ? host : { ...host, counters: tracingCounters(chain, request, trace, host, sink) };
    },
    ended(event) {
      const trace = sampledTrace(event.metadata);
      if (trace !== undefined && event.request !== undefined) sink.write(exchangeSpan(event, event.request, trace));
    },
  };
}

/** @param id the exchange's, a random UUID: a span id has to be random too, and both are found from one another */
export function exchangeSpanId(id: string): string {
  return id.replaceAll("-", "").slice(0, 16);
}

/** Not sampled, not there, or none: nothing is spent on it. */
function sampledTrace(metadata: StreamMetadata): TraceContext | undefined {
  const trace = parseTraceparent(metadata.get("traceparent"));
  return trace?.sampled === true ? trace : undefined;
}

function exchangeSpan(event: EndedEvent, request: ReceivedRequest, { traceId, parentSpanId }: TraceContext): Span {
  const { id, chain, generation, end, reply, durationMs } = event;
  const isFault = end === "body-not-sent" || (end === "failed" && (reply?.status ?? 500) >= 500);
  return {
    traceId,
    spanId: exchangeSpanId(id),
    parentSpanId,
    // Low cardinality, as span names have to be: chains are the configuration's.
    name: chain === undefined ? "policy exchange" : `policy exchange ${chain}`,
    kind: "server",
    startMs: request.time,
    durationMs,
    attributes: {
      "policy_engine.decision_id": id,
      "policy_engine.route": request.route.name,
      "policy_engine.chain": chain,
      "policy_engine.generation": generation,
      "policy_engine.outcome": end,
      "policy_engine.code": reply?.code,
      "policy_engine.step": reply?.step ?? reply?.failedStep,
      "http.response.status_code": reply?.status,
    },
    error: isFault ? (reply?.code ?? end) : undefined,
  };
}

/** The run's counters hear of every step and of every handler's end. Here they write that down besides. */
function tracingCounters(
  chain: Chain,
  request: ReceivedRequest,
  { traceId }: TraceContext,
  { counters, monotonicMs }: RunHost,
  sink: Pick<RecordSink<Span>, "write">,
): StepCounters {
  const parentSpanId = exchangeSpanId(request.id);
  // The request's time is that of the calendar, which may be set; durations are of the clock that never goes back.
  const beginMs = monotonicMs();
  let spans = 0;
  const write = (step: BoundStep, phase: StepPhase, outcome: StepOutcome, durationMs: number): void => {
    spans += 1;
    sink.write({
      traceId,
      spanId: stepSpanId(request.id, spans),
      parentSpanId,
      name: `policy step ${step.name}`,
      kind: "internal",
      startMs: request.time + (monotonicMs() - durationMs - beginMs),
      durationMs,
      attributes: {
        "policy_engine.chain": chain.name,
        "policy_engine.step": step.name,
        "policy_engine.policy": step.policy,
        "policy_engine.phase": phase,
        "policy_engine.outcome": outcome,
      },
      error: outcome === "failed" || outcome === "timed-out" ? outcome : undefined,
    });
  };
  let last: StepOutcome = "ran";
  return {
    ...counters,
    count(index, phase, outcome) {
      counters.count(index, phase, outcome);
      last = outcome;
      // What did not run took no time, and nothing is observed of it.
      const step = outcome === "skipped" || outcome === "refused" ? stepOf(chain, index) : undefined;
      if (step !== undefined) write(step, phase, outcome, 0);
    },
    observe(index, phase, milliseconds) {
      counters.observe(index, phase, milliseconds);
      const step = stepOf(chain, index);
      if (step !== undefined) write(step, phase, last, milliseconds);
    },
  };
}

function stepOf(chain: Chain, counter: number): BoundStep | undefined {
  return chain.steps.find((step) => step.counter === counter);
}

/** The second half of the UUID, counted up: unlike the first half, and unlike one another. */
function stepSpanId(id: string, nth: number): string {
  const half = BigInt(`0x${id.replaceAll("-", "").slice(16, 32)}`);
  return BigInt.asUintN(64, half + BigInt(nth))
    .toString(16)
    .padStart(16, "0");
}
