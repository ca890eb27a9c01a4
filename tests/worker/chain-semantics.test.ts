/**
 * The loop against a second, naive statement of what a chain means (product rules 1 to 5): for random chains both must call the same handlers
 * in the same order and come to the same end.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createStepCounters } from "../../src/observe/step-counters.ts";
import type { BoundStep, Chain } from "../../src/worker/chain.ts";
import { ExchangeRun, type RunHost, type RunOutcome } from "../../src/worker/run.ts";

const behaviour = fc.constantFrom("none", "continue", "reply", "throw", "later-continue", "later-reply", "later-throw", "nonsense");
type Behaviour = typeof behaviour extends fc.Arbitrary<infer One> ? One : never;

interface Step {
  readonly when: "none" | "holds" | "fails-to-hold" | "throws" | "holds-on-response" | "fails-to-hold-on-response";
  readonly request: Behaviour;
  readonly response: Behaviour;
  readonly onError: "deny" | "skip";
}

const step: fc.Arbitrary<Step> = fc
  .record({
    when: fc.constantFrom<Step["when"]>(
      "none",
      "none",
      "holds",
      "fails-to-hold",
      "throws",
      "holds-on-response",
      "fails-to-hold-on-response",
    ),
    request: behaviour,
    response: behaviour,
    onError: fc.constantFrom<Step["onError"]>("deny", "skip"),
  })
  // The binder refuses these: nothing to do, or a condition that could not be decided once.
  .filter(
    ({ when, request, response }) => (request !== "none" || response !== "none") && (request === "none" || !when.endsWith("on-response")),
  );

interface Told {
  readonly calls: readonly string[];
  readonly end: string;
}

/** What should happen, said as plainly as possible. */
function told(steps: readonly Step[]): Told {
  const calls: string[] = [];
  const takesPart = new Set<number>();
  let reply: string | undefined;

  const outcome = (index: number, phase: "request" | "response"): "continue" | "reply" | "deny" | "skip" => {
    const one = steps[index];
    if (one === undefined) throw new Error("no such step");
    calls.push(`${phase} ${index}`);
    const what = one[phase].replace("later-", "");
    if (what === "throw" || what === "nonsense") return one.onError;
    return what === "reply" ? "reply" : "continue";
  };

  const respondFrom = (start: number): void => {
    for (let index = start; index >= 0; index--) {
      const one = steps[index];
      if (one === undefined || one.response === "none" || !takesPart.has(index)) continue;
      if (one.when === "fails-to-hold-on-response") continue;
      const result = outcome(index, "response");
      if (result === "reply") reply = `reply ${index}`;
      if (result === "deny") reply = "policy-failed";
    }
  };

  for (const [index, one] of steps.entries()) {
    if (one.when === "fails-to-hold") continue;
    if (one.when === "throws") {
      if (one.onError === "skip") continue;
      reply = "condition-failed";
      respondFrom(index - 1);
      return { calls, end: reply };
    }
    if (one.request !== "none") {
      const result = outcome(index, "request");
      if (result === "skip") continue;
      if (result !== "continue") {
        reply = result === "reply" ? `reply ${index}` : "policy-failed";
        respondFrom(index - 1);
        return { calls, end: reply };
      }
    }
    takesPart.add(index);
  }
  const upstream = steps.some((one, index) => one.response !== "none" && takesPart.has(index));
  if (upstream) respondFrom(steps.length - 1);
  return { calls, end: reply ?? "continue" };
}

async function happens(steps: readonly Step[]): Promise<Told> {
  const calls: string[] = [];
  const counters = createStepCounters();
  const handler = (index: number, phase: "request" | "response", what: Behaviour) => {
    if (what === "none") return undefined;
    const handle = () => {
      calls.push(`${phase} ${index}`);
      const act = () => {
        if (what.endsWith("throw")) throw new Error("thrown");
        if (what === "nonsense") return "nonsense" as never;
        return what.endsWith("reply") ? { status: 403, code: `reply-${index}` } : undefined;
      };
      return what.startsWith("later-") ? new Promise<void>((resolve) => setImmediate(resolve)).then(act) : act();
    };
    return { body: "none" as const, handle };
  };
  const chain: Chain = {
    name: "chain",
    hash: "",
    rawPath: false,
    bodyBytesMax: 1024,
    hasResponse: steps.some(({ response }) => response !== "none"),
    steps: steps.map(
      (one, index): BoundStep => ({
        name: `step-${index}`,
        policy: "test@1.0.0",
        when: one.when === "none" ? undefined : condition(one.when),
        whenReadsResponse: one.when.endsWith("on-response"),
        request: handler(index, "request", one.request),
        response: handler(index, "response", one.response),
        reads: { requestBody: false, responseBody: false },
        timeoutMs: 1_000,
        onUpgrade: "deny",
        onStream: "deny",
        onError: one.onError,
        rights: { mutates: new Set(), reads: new Set(), writes: new Set() },
        counter: counters.allocate({ chain: "chain", step: `step-${index}`, policy: "test@1.0.0" }),
      }),
    ),
  };
  const host: RunHost = {
    monotonicMs: () => performance.now(),
    startTimer: (milliseconds, expired) => {
      const timer = setTimeout(expired, milliseconds);
      return () => clearTimeout(timer);
    },
    counters,
    failed: () => {},
  };
  const received = {
    id: "1",
    time: 0,
    headers: [],
    hasBody: false,
    upgrade: false,
    route: { name: "r", metadata: {} },
    source: { address: undefined, port: undefined },
  };
  const run = new ExchangeRun(chain, received, host);
  let outcome: RunOutcome = await run.runRequest(10_000);
  if (outcome.kind === "continue" && run.wantsResponse()) {
    outcome = await run.runResponse({ headers: [{ name: ":status", value: Buffer.from("200") }], hasBody: false }, 10_000);
  }
  run.close();
  return { calls, end: outcome.kind === "reply" ? outcome.reply.code.replace(/^reply-/, "reply ") : outcome.kind };
}

function condition(when: Step["when"]): NonNullable<BoundStep["when"]> {
  const run = (): boolean => {
    if (when === "throws") throw new Error("thrown");
    return when.startsWith("holds");
  };
  return { text: when, result: "bool", reads: [], run, evaluate: run };
}

describe("a chain", () => {
  test("does what its rules say, whatever its steps do", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 5 }), async (steps) => {
        expect(await happens(steps)).toEqual(told(steps));
      }),
      { seed: 4, numRuns: 3000 },
    );
  });
});
