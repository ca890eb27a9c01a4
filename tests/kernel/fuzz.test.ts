/**
 * Whatever Envoy sends and whatever steps do: random conversations, from well-formed to noise, against the kernel and the worker as they are.
 * A watcher beside the stream knows what was sent and what the handlers did, and holds the engine's writes against what is promised.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EngineDoes } from "../conversations/conversation.ts";
import { answeredOneByOne, conversation, type Event, wellFormedConversation } from "./fuzz/conversations.ts";
import { newCoverage, states } from "./fuzz/coverage.ts";
import { configured, configuredInPieces, phases } from "./fuzz/messages.ts";
import { mutated, mutation } from "./fuzz/mutations.ts";
import { ways } from "./fuzz/passing-body.ts";
import { type Setting, setting, startFuzzedEngine } from "./fuzz/play.ts";
import { denying, type Step, step, streaming, waiting } from "./fuzz/steps.ts";
import type { Lets } from "./fuzz/watcher.ts";

const coverage = newCoverage();
interface ChainKind {
  readonly kind: string;
  readonly someSteps: (maxLength: number) => fc.Arbitrary<Step[]>;
  readonly lastStep: fc.Arbitrary<Step[]>;
  readonly modes: Parameters<typeof conversation>[0];
}

/** Chains of all kinds; and such as let bodies pass in pieces, on routes that are configured for it. */
const kinds: readonly ChainKind[] = [
  {
    kind: "any steps",
    someSteps: (maxLength) => fc.array(step, { maxLength }),
    lastStep: fc.array(waiting, { maxLength: 1 }),
    modes: configured,
  },
  {
    kind: "bodies in pieces",
    someSteps: (maxLength) => fc.array(fc.oneof({ weight: 4, arbitrary: streaming }, { weight: 1, arbitrary: step }), { maxLength }),
    lastStep: fc.constant([]),
    modes: configuredInPieces,
  },
];
async function play(steps: readonly Step[], setting: Setting, lets: Lets, conversations: readonly (readonly Event[])[]): Promise<void> {
  const engine = await startFuzzedEngine(steps, setting, lets, coverage);
  for (const events of conversations) await engine.converse(events);
  await engine.end();
}

describe.for(kinds)("$kind:", ({ someSteps, lastStep, modes }) => {
  const conversations = fc.array(conversation(modes), { minLength: 10, maxLength: 10 });

  test("nobody passes a chain that denies everybody, whatever is sent and when", async () => {
    await fc.assert(
      fc.asyncProperty(someSteps(3), denying, someSteps(1), setting, conversations, (before, one, after, ...rest) =>
        play([...before, one, ...after], rest[0], "nobody pass", rest[1]),
      ),
      { seed: 1, numRuns: 80 },
    );
  }, 60_000);

  test("every message has its answer, nothing is skipped, nothing follows a reply and nothing is left, whatever steps do", async () => {
    await fc.assert(
      fc.asyncProperty(someSteps(3), lastStep, setting, conversations, (steps, last, one, all) =>
        play([...steps, ...last], one, "some pass", all),
      ),
      { seed: 2, numRuns: 200 },
    );
  }, 60_000);

  test("what is sent before the first odd message is answered as if that had not come, nor any before", async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        someSteps(2),
        lastStep,
        setting,
        fc.array(conversation(modes), { minLength: 3, maxLength: 3 }),
        wellFormedConversation(modes),
        fc.nat(),
        mutation,
        async (some, last, setting, earlier, messages, place, odd) => {
          const steps = [...some, ...last];
          const from = place % messages.length;
          const before = answeredOneByOne(messages.slice(0, from));
          const [message, ...behind] = messages.slice(from);
          if (message === undefined) throw new RangeError("a conversation has messages");

          const plain = await startFuzzedEngine(steps, setting, "some pass", coverage);
          const expected = await plain.converse(before);
          await plain.end();
          const fuzzed = await startFuzzedEngine(steps, setting, "some pass", coverage);
          for (const events of earlier) await fuzzed.converse(events);
          const writes = await fuzzed.converse([...before, ...mutated(message, behind, odd)]);
          await fuzzed.end();
          expect(withoutIds(writes.slice(0, before.length))).toEqual(withoutIds(expected));
          compared += expected.flat().length;
        },
      ),
      { seed: 3, numRuns: 200 },
    );
    expect(compared).toBeGreaterThan(200);
  }, 60_000);
});

/** Every exchange has a decision of its own, which the body of a reply may say in letters that a step has changed. */
const withoutIds = (writes: readonly (readonly EngineDoes[])[]): unknown =>
  JSON.parse(JSON.stringify(writes.flat().map(withoutReplyBody)).replaceAll(/decision-\d+/g, "decision"));

const withoutReplyBody = (does: EngineDoes): unknown => ("reply" in does ? { ...does, body: undefined } : does);

describe("the conversations have come to", () => {
  const answers = ["request-headers", "request-body", "request-trailers", "response-headers", "response-body", "response-trailers"];
  const pieces = ["request", "response"].flatMap((direction) =>
    ways.flatMap((way) => ["a piece", "the end as body", "the end as trailers"].map((what) => `${what} of the ${direction}, ${way}`)),
  );
  test.for([...answers, "held", "held back", ...pieces])("answers: %s", (what) => {
    expect(coverage.answers(what)).toBeGreaterThan(5);
  });

  test.for(states)("exchanges that were %s when anything came", (state) => {
    const never = [...phases, "unknown", "noise", "half-close", "close", "abandon"].filter((event) => coverage.visits(state, event) === 0);
    expect(never).toEqual([]);
  });
});
