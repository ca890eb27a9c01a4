/** An engine with a chain of odd steps, and conversations with it. */
import fc from "fast-check";
import { expect } from "vitest";
import type { StreamHandler } from "../../../src/kernel/transport.ts";
import type { EngineDoes } from "../../conversations/conversation.ts";
import { type EngineUnderTest, engineUnderTest } from "../../conversations/engine-under-test.ts";
import { codePolicies } from "../../support/code-policy.ts";
import type { Event } from "./conversations.ts";
import type { Coverage, State } from "./coverage.ts";
import { bytesOf } from "./messages.ts";
import type { Step } from "./steps.ts";
import { watchedInstance } from "./watched-handlers.ts";
import { expectAnswer, type Lets, newWatch, type Room, type Watch, watched } from "./watcher.ts";

export interface Setting {
  readonly allowModeOverride: boolean;
  readonly responseHeaders: "sent" | "skipped";
  readonly room: Room;
}

export const setting: fc.Arbitrary<Setting> = fc
  .record({
    allowModeOverride: fc.boolean(),
    responseHeaders: fc.constantFrom<Setting["responseHeaders"]>("sent", "skipped"),
    room: fc.constantFrom<Room>("always", "later"),
  })
  // The binder refuses a chain with response handlers on the other combination.
  .filter(({ allowModeOverride, responseHeaders }) => allowModeOverride || responseHeaders === "sent");

export interface FuzzedEngine {
  /** Has a conversation, from the first event to the end of the stream. Returns what the engine has written after each event. */
  converse(events: readonly Event[]): Promise<readonly (readonly EngineDoes[])[]>;
  /** When there is no conversation any more: nothing may be left of them. */
  end(): Promise<void>;
}

export async function startFuzzedEngine(
  steps: readonly Step[],
  { room, ...setting }: Setting,
  lets: Lets,
  coverage: Coverage,
): Promise<FuzzedEngine> {
  let watch = newWatch();
  const instances = steps.map((step, index) => [`step-${index}`, watchedInstance(() => watch, index, step)] as const);
  const listed = steps.map(
    ({ onError }, index) =>
      `{ policy: step-${index}@1.0.0, onError: ${onError}, onUpgrade: ${onError}, onStream: ${onError}, timeout: 10ms }`,
  );
  const config = `version: 1\nchains: { chain: { steps: [${listed.join(", ")}] } }\nroutes: { route: chain }\n`;
  const engine = await engineUnderTest(config, setting, { policies: codePolicies(Object.fromEntries(instances)) });
  return {
    async converse(events) {
      watch = newWatch();
      const handler = watched(engine, watch, steps, room, lets, coverage);
      const writes = await tell(engine, handler, watch, steps, events, coverage);
      // One exchange at a time: what still runs would be taken for the next one's.
      await ended(engine, watch);
      expect(engine.openTimers()).toBe(0);
      expect(watch.faults).toEqual([]);
      expect(engine.counters.read().open).toBe(0);
      return writes;
    },
    // What is decoded or encoded beside the event loop is awaited before its generation is let go of.
    end: () => expect.poll(() => engine.openGenerations(), { interval: 1 }).toBe(0),
  };
}

async function tell(
  engine: EngineUnderTest,
  handler: StreamHandler,
  watch: Watch,
  steps: readonly Step[],
  events: readonly Event[],
  coverage: Coverage,
): Promise<readonly (readonly EngineDoes[])[]> {
  const deliver = (bytes: Uint8Array): void => {
    // No transport hands over a message behind the half-close.
    if (watch.halfClosed) return;
    expectAnswer(watch, bytes);
    handler.message(bytes);
  };
  const writes: (readonly EngineDoes[])[] = [];
  for (const one of events) {
    coverage.visit(stateOf(watch, steps), eventName(one));
    const before = watch.writes.length;
    switch (one.do) {
      case "message":
        deliver(bytesOf(one.sent));
        break;
      case "flood":
        for (let count = 0; count < 70; count++) deliver(bytesOf(one.sent));
        break;
      case "noise":
        deliver(one.bytes);
        break;
      case "settle":
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
        break;
      case "rest":
        // For what is decoded or encoded beside the event loop.
        await pause();
        break;
      case "turn":
        await undefined;
        break;
      case "quiet":
        await quiet(engine, watch, steps);
        break;
      case "half-close":
        if (!watch.halfClosed) {
          watch.halfClosed = true;
          handler.halfClosed();
        }
        break;
      case "abandon":
        engine.abandon();
        break;
      case "close":
        handler.closed();
        return writes;
      default:
        return one satisfies never;
    }
    writes.push(watch.writes.slice(before));
  }
  await quiet(engine, watch, steps);
  handler.closed();
  return writes;
}

/** Every message must come to its answer, and a stream that Envoy has closed on its side to its end, without anything more being sent. */
async function quiet(engine: EngineUnderTest, watch: Watch, steps: readonly Step[]): Promise<void> {
  const waits = (): boolean => !watch.ended && (watch.unanswered.length > 0 || watch.halfClosed || endsLater(watch));
  for (let pauses = 0; waits() && pauses < pausesMax; pauses += 1) await pause();
  await ended(engine, watch);
  if (waits()) watch.faults.push(`the stream stays open, with ${watch.unanswered.join()} unanswered`);
  else if (nothingIsLeft(watch, steps)) watch.faults.push("the stream stays open, with nothing left to be done");
  if (watch.paused) watch.faults.push("nothing waits, and Envoy is not listened to");
}

/** The whole of a body has come, and its last answer has not left. */
function endsLater({ passing }: Watch): boolean {
  return [...passing.values()].some(({ whole, over }) => whole !== undefined && !over);
}

/** Resolves when no handler runs any more. */
async function ended(engine: EngineUnderTest, watch: Watch): Promise<void> {
  while (watch.running > 0 || watch.full || (watch.hangs && engine.openTimers() > 0)) await pause();
  await new Promise((resolve) => setImmediate(resolve));
}

/** Counted, and not timed: a machine that is busy pauses longer. */
const pausesMax = 500;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

function stateOf(watch: Watch, steps: readonly Step[]): State {
  if (watch.ended) return "ended";
  if (watch.unanswered.length > 0) return "running";
  if (watch.holding.has("request")) return "awaiting-request-body";
  if (watch.holding.has("response")) return "awaiting-response-body";
  if (noneCanRun(watch, steps) && bodiesPass(watch)) return "passing";
  return watch.writes.length === 0 ? "opened" : "awaiting-response";
}

/** Only of chains without steps that wait for a body: whether one that may be skipped waits cannot be known from outside. */
function nothingIsLeft(watch: Watch, steps: readonly Step[]): boolean {
  if (steps.some(({ body }) => body.request === "buffered" || body.response === "buffered")) return false;
  const { ended, begun, unanswered, holding } = watch;
  return !ended && begun.has("request") && unanswered.length === 0 && holding.size === 0 && noneCanRun(watch, steps) && !bodiesPass(watch);
}

/** Of what is answered so far: no handler is left. */
const noneCanRun = ({ begun }: Watch, steps: readonly Step[]): boolean =>
  begun.has("response") || steps.every(({ response }) => response === undefined);

const bodiesPass = ({ passing }: Watch): boolean => [...passing.values()].some(({ over }) => !over);

function eventName(event: Event): string {
  switch (event.do) {
    case "message":
    case "flood":
      return event.sent.phase ?? "unknown";
    default:
      return event.do;
  }
}
