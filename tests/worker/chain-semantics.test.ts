/**
 * The loop against a second, naive statement of what a chain means (product rules 1 to 5 and 9): for random chains and exchanges both must call
 * the same handlers in the same order, wait for a body at the same step, make the same of it and come to the same end.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createStepCounters } from "../../src/observe/step-counters.ts";
import type { BoundHandler, BoundStep, Chain } from "../../src/worker/chain.ts";
import { HeaderLines, noHeaders } from "../../src/worker/received-headers.ts";
import { ExchangeRun } from "../../src/worker/run.ts";
import type { RunHost } from "../../src/worker/run-host.ts";
import type { RunOutcome } from "../../src/worker/run-outcome.ts";

type Phase = "request" | "response";

const behaviour = fc.constantFrom(
  "none",
  "continue",
  "continue",
  "replace",
  "replace-throw",
  "reply",
  "throw",
  "later-continue",
  "later-replace",
  "later-reply",
  "later-throw",
  "nonsense",
);
type Behaviour = typeof behaviour extends fc.Arbitrary<infer One> ? One : never;

interface Step {
  readonly when: "none" | "holds" | "fails-to-hold" | "throws" | "holds-on-response" | "fails-to-hold-on-response";
  readonly request: Behaviour;
  readonly response: Behaviour;
  /** Handlers that wait for the body. */
  readonly buffered: readonly Phase[];
  /** Bodies that its expressions read. */
  readonly reads: readonly Phase[];
  readonly onError: "deny" | "skip";
  readonly onUpgrade: "deny" | "skip";
  readonly onStream: "deny" | "skip";
}

const mode = fc.constantFrom<Step["onError"]>("deny", "skip");
const phases = fc.subarray<Phase>(["request", "response"]);
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
    buffered: phases,
    reads: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: phases }),
    onError: mode,
    onUpgrade: mode,
    onStream: mode,
  })
  // The binder refuses these: nothing to do, or a condition that could not be decided once.
  .filter(
    ({ when, request, response }) => (request !== "none" || response !== "none") && (request === "none" || !when.endsWith("on-response")),
  );

/** What comes where a body is waited for. */
const body = fc.constantFrom("none", "whole", "whole", "refused");
type Sent = typeof body extends fc.Arbitrary<infer One> ? One : never;

interface Exchange {
  readonly request: Sent;
  readonly response: Sent;
  readonly upgrade: boolean;
  readonly events: boolean;
}

const seldom = fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
const exchange: fc.Arbitrary<Exchange> = fc.record({ request: body, response: body, upgrade: seldom, events: seldom });

interface Told {
  readonly calls: readonly string[];
  readonly end: string;
  /** What the steps made of the bodies that went on; undefined where nobody changed one or nothing went on. */
  readonly request: string | undefined;
  /** Of the upstream's response or the reply, `engine` for the engine's own text. */
  readonly response: string | undefined;
}

const waits = ({ buffered, reads, ...step }: Step, phase: Phase): boolean =>
  reads.includes(phase) || (step[phase] !== "none" && buffered.includes(phase));

/** What should happen, said as plainly as possible. */
function told(steps: readonly Step[], sent: Exchange): Told {
  const calls: string[] = [];
  const takesPart = new Set<number>();
  let reply: string | undefined;
  /** As it stands; undefined while it is not there, null where there is none. */
  const bodies: Record<Phase, string | null | undefined> = {
    request: sent.request === "none" ? null : undefined,
    response: sent.response === "none" ? null : undefined,
  };
  const changed: Record<Phase, boolean> = { request: false, response: false };

  const answer = (code: string): void => {
    reply = code;
    bodies.response = code.startsWith("reply") ? "x" : "engine";
    changed.response = false;
  };

  /** The body is there, or the step is passed over, or it is refused. */
  const need = (one: Step, phase: Phase): "there" | "skip" | string => {
    if (bodies[phase] !== undefined) return "there";
    if (phase === "request" && sent.upgrade) return one.onUpgrade === "skip" ? "skip" : "upgrade-refused";
    if (phase === "response" && sent.events) return one.onStream === "skip" ? "skip" : "stream-refused";
    calls.push(`wait for ${phase}`);
    if (sent[phase] === "refused") return `${phase}-too-large`;
    bodies[phase] = phase;
    return "there";
  };

  const act = (one: Step, index: number, phase: Phase): "continue" | "reply" | "deny" | "skip" => {
    calls.push(`${phase} ${index}`);
    const what = one[phase].replace("later-", "");
    if (what === "throw" || what === "nonsense" || what === "replace-throw") return one.onError;
    if (what === "replace" && one.buffered.includes(phase)) {
      if (bodies[phase] === null) return one.onError;
      bodies[phase] = `${bodies[phase]} ${index}`;
      changed[phase] = true;
    }
    return what === "reply" ? "reply" : "continue";
  };

  const respondFrom = (start: number): void => {
    for (let index = start; index >= 0; index--) {
      const one = steps[index];
      if (one === undefined || one.response === "none" || !takesPart.has(index)) continue;
      const onResponse = one.when.endsWith("on-response");
      let there = one.reads.includes("response") ? need(one, "response") : "there";
      if (there === "there" && onResponse && one.when.startsWith("fails")) continue;
      if (there === "there" && one.buffered.includes("response")) there = need(one, "response");
      if (there === "skip") continue;
      if (there !== "there") {
        answer(there);
        continue;
      }
      const result = act(one, index, "response");
      if (result === "reply") answer(`reply ${index}`);
      if (result === "deny") answer("policy-failed");
    }
  };

  const end = (): Told => ({
    calls,
    end: reply ?? "continue",
    request: reply === undefined && changed.request ? String(bodies.request) : undefined,
    response: reply !== undefined || changed.response ? String(bodies.response) : undefined,
  });
  const stop = (code: string, index: number): Told => {
    answer(code);
    respondFrom(index - 1);
    return { ...end(), request: undefined };
  };

  for (const [index, one] of steps.entries()) {
    const onResponse = one.when.endsWith("on-response");
    if (!onResponse) {
      const there = one.reads.includes("request") ? need(one, "request") : "there";
      if (there === "skip") continue;
      if (there !== "there") return stop(there, index);
      if (one.when === "fails-to-hold") continue;
      if (one.when === "throws") {
        if (one.onError === "skip") continue;
        return stop("condition-failed", index);
      }
    }
    if (sent.upgrade && waits(one, "response")) {
      if (one.onUpgrade === "skip") continue;
      return stop("upgrade-refused", index);
    }
    if (!onResponse && one.request !== "none") {
      const there = one.buffered.includes("request") ? need(one, "request") : "there";
      if (there === "skip") continue;
      if (there !== "there") return stop(there, index);
      const result = act(one, index, "request");
      if (result === "skip") continue;
      if (result !== "continue") return stop(result === "reply" ? `reply ${index}` : "policy-failed", index);
    }
    takesPart.add(index);
  }
  const request = end().request;
  if (steps.some((one, index) => one.response !== "none" && takesPart.has(index))) respondFrom(steps.length - 1);
  return { ...end(), request };
}

function handlerOf(calls: string[], one: Step, index: number, phase: Phase): BoundHandler | undefined {
  const what = one[phase];
  if (what === "none") return undefined;
  const buffered = one.buffered.includes(phase);
  return {
    body: buffered ? "buffered" : "none",
    handle(exchange) {
      calls.push(`${phase} ${index}`);
      const act = () => {
        if (buffered && what.includes("replace")) exchange.body.set(`${exchange.body.text()} ${index}`);
        if (what.endsWith("throw")) throw new Error("thrown");
        if (what === "nonsense") return "nonsense" as never;
        return what.endsWith("reply") ? { status: 403, code: `reply-${index}`, body: "x" } : undefined;
      };
      return what.startsWith("later-") ? new Promise<void>((resolve) => setImmediate(resolve)).then(act) : act();
    },
  };
}

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

async function happens(steps: readonly Step[], sent: Exchange): Promise<Told> {
  const calls: string[] = [];
  const counters = createStepCounters();
  const chain: Chain = {
    name: "chain",
    hash: "",
    counter: { exchanges: 0, since: 0 },
    rawPath: false,
    bodyBytesMax: 1024,
    hasResponse: steps.some(({ response }) => response !== "none"),
    steps: steps.map(
      (one, index): BoundStep => ({
        name: `step-${index}`,
        policy: "test@1.0.0",
        when: one.when === "none" ? undefined : condition(one.when),
        whenReadsResponse: one.when.endsWith("on-response"),
        request: handlerOf(calls, one, index, "request"),
        response: handlerOf(calls, one, index, "response"),
        reads: { requestBody: one.reads.includes("request"), responseBody: one.reads.includes("response") },
        timeoutMs: 1_000,
        onUpgrade: one.onUpgrade,
        onStream: one.onStream,
        onError: one.onError,
        rights: { mutates: new Set(), reads: new Set(), writes: new Set() },
        counter: counters.allocate({ chain: "chain", step: `step-${index}`, policy: "test@1.0.0" }, 0),
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
    headers: noHeaders,
    hasBody: sent.request !== "none",
    upgrade: sent.upgrade,
    route: { name: "r", metadata: {} },
    source: { address: undefined, port: undefined },
  };
  const run = new ExchangeRun(chain, received, host, 1);
  const settle = async (started: RunOutcome | Promise<RunOutcome>): Promise<RunOutcome> => {
    const outcome = await started;
    if (outcome.kind !== "needs-body") return outcome;
    const { phase } = outcome;
    calls.push(`wait for ${phase}`);
    return sent[phase] === "refused" ? run.refuse(`${phase}-too-large`, never) : settle(run.resume(Buffer.from(phase), never));
  };
  let outcome = await settle(run.runRequest(never, "in-chunks"));
  const request = outcome.kind === "continue" ? text(outcome.body) : undefined;
  let response: string | undefined;
  if (outcome.kind === "continue" && run.wantsResponse()) {
    const headers = [{ name: ":status", value: Buffer.from("200") }];
    if (sent.events) headers.push({ name: "content-type", value: Buffer.from("text/event-stream") });
    outcome = await settle(
      run.runResponse(
        { headers: new HeaderLines(headers), hasBody: sent.response !== "none", eventStream: sent.events },
        never,
        "in-chunks",
      ),
    );
    if (outcome.kind === "continue") response = text(outcome.body);
  }
  run.close();
  if (outcome.kind !== "reply") return { calls, end: outcome.kind, request, response };
  const { code, body } = outcome.reply;
  return { calls, end: code.replace(/^reply-/, "reply "), request, response: text(body)?.replace(/^\{.*\}\n/, "engine") };
}

/** No message is late. */
const never = Number.POSITIVE_INFINITY;

function condition(when: Step["when"]): NonNullable<BoundStep["when"]> {
  const run = (): boolean => {
    if (when === "throws") throw new Error("thrown");
    return when.startsWith("holds");
  };
  const explain = (): never => {
    throw new Error("nobody asks for it");
  };
  return { text: when, result: "bool", reads: [], run, evaluate: run, explain };
}

describe("a chain", () => {
  test("does what its rules say, whatever its steps do and whatever is sent", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 5 }), exchange, async (steps, sent) => {
        expect(await happens(steps, sent)).toEqual(told(steps, sent));
      }),
      { seed: 4, numRuns: 4000 },
    );
  });
});
