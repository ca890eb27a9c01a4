/** Steps that cannot have the body they wait for, and so never run: they are counted and recorded all the same. */
import { describe, expect, test } from "vitest";
import { createStepCounters } from "../../src/observe/step-counters.ts";
import type { BoundStep, Chain } from "../../src/worker/chain.ts";
import type { ExplainedStep } from "../../src/worker/explanation.ts";
import type { ReceivedRequest } from "../../src/worker/received.ts";
import { HeaderLines, noHeaders } from "../../src/worker/received-headers.ts";
import { RecordedRun } from "../../src/worker/recorded-run.ts";
import { createRedaction } from "../../src/worker/redaction.ts";
import type { RunOutcome } from "../../src/worker/run-outcome.ts";

const never = Number.POSITIVE_INFINITY;

function step(phase: "request" | "response", counter: number): BoundStep {
  const buffered = { body: "buffered", handle: () => undefined } as const;
  return {
    name: `reads-${phase}`,
    policy: "reader@1.0.0",
    when: undefined,
    whenReadsResponse: false,
    request: phase === "request" ? buffered : undefined,
    response: phase === "response" ? buffered : undefined,
    reads: { requestBody: false, responseBody: false },
    timeoutMs: 1_000,
    onUpgrade: "deny",
    onStream: "deny",
    onError: "deny",
    rights: { mutates: new Set(), reads: new Set(), writes: new Set() },
    counter,
  };
}

const response = { headers: new HeaderLines([{ name: ":status", value: Buffer.from("200") }]), hasBody: true };

const refusals: Readonly<
  Record<string, { readonly upgrade?: true; readonly waits: "request" | "response"; readonly run: (run: RecordedRun) => unknown }>
> = {
  "an upgrade": { upgrade: true, waits: "request", run: (run) => run.runRequest(never, "in-chunks") },
  "an upgrade, and a step on the response": { upgrade: true, waits: "response", run: (run) => run.runRequest(never, "in-chunks") },
  "a body over the limit": {
    waits: "request",
    run: (run) => {
      run.runRequest(never, "in-chunks");
      return run.refuse("request-too-large", never);
    },
  },
  "a stream of events": {
    waits: "response",
    run: (run) => {
      run.runRequest(never, "in-chunks");
      return run.runResponse({ ...response, eventStream: true }, never, "in-chunks");
    },
  },
  "a response over the limit": {
    waits: "response",
    run: (run) => {
      run.runRequest(never, "in-chunks");
      run.runResponse({ ...response, eventStream: false }, never, "in-chunks");
      return run.refuse("response-too-large", never);
    },
  },
};

describe("a step that is refused its body is counted and recorded once", () => {
  test.for(Object.entries(refusals))("%s", ([, { upgrade = false, waits, run }]) => {
    const counters = createStepCounters();
    const counter = counters.allocate({ chain: "chain", step: `reads-${waits}`, policy: "reader@1.0.0" }, 0);
    const chain: Chain = {
      name: "chain",
      hash: "",
      counter: { exchanges: 0, since: 0 },
      rawPath: false,
      bodyBytesMax: 1024,
      hasResponse: waits === "response",
      steps: [step(waits, counter)],
    };
    const received: ReceivedRequest = {
      id: "1",
      time: 0,
      headers: noHeaders,
      hasBody: true,
      upgrade,
      route: { name: "r", metadata: {} },
      source: { address: undefined, port: undefined },
    };
    let recorded: readonly ExplainedStep[] = [];
    const host = { monotonicMs: () => 0, startTimer: () => () => {}, counters, failed: () => {} };
    const recording = new RecordedRun(chain, received, host, 1, {
      redaction: createRedaction((text) => text),
      done: (steps) => {
        recorded = steps;
      },
    });
    expect((run(recording) as RunOutcome).kind).toBe("reply");
    recording.close();
    expect(counters.read(counter)).toMatchObject({ refusals: 1, runs: 0, skips: 0 });
    expect(recorded).toMatchObject([{ step: `reads-${waits}`, outcome: "refused", changes: [] }]);
  });
});
