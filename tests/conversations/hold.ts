/** Holds an engine to a conversation, whatever carries it. */
import { expect } from "vitest";
import type { OpenStream } from "../../src/kernel/transport.ts";
import { type Conversation, type EngineDoes, envoyBytes } from "./conversation.ts";
import { engineUnderTest } from "./engine-under-test.ts";

/** How long one event may take. Generous: it is only reached when the conversation is broken. */
const eventTimeoutMs = 5_000;
const soon = { timeout: eventTimeoutMs, interval: 2 };
/** How long to listen for what must not come. */
const silenceMs = 30;

/** Envoy's end of a stream. */
export interface Envoy {
  send(bytes: Uint8Array): void;
  halfClose(): void;
  /** The next thing the engine does; undefined when it does nothing for this long. */
  next(withinMs: number): Promise<EngineDoes | undefined>;
  hangUp(): void;
}

/** Opens a stream to an engine. */
export type Connect = (open: OpenStream, metadata: Readonly<Record<string, string>>) => Envoy;

/** @param config what the engine is configured with, unless the conversation says something else */
export async function hold(conversation: Conversation, config: string, connect: Connect): Promise<void> {
  const engine = await engineUnderTest(conversation.config ?? config, conversation.settings);
  const metadata = conversation.metadata ?? {};
  const envoy = connect(engine.open, metadata);
  try {
    await speak(conversation, envoy, (metadata["x-route"] ?? "r:").slice(2));
  } finally {
    envoy.hangUp();
  }
  await expect.poll(() => engine.counters.read().open, soon).toBe(0);
  await expect.poll(() => engine.openGenerations(), soon).toBe(0);
}

async function speak(conversation: Conversation, envoy: Envoy, route: string): Promise<void> {
  let first = true;
  for (const { envoy: says, engine: expected = [] } of conversation.exchange) {
    if (says === "half-close") envoy.halfClose();
    else envoy.send(envoyBytes(says, first, route));
    first = says !== "half-close" && says.message === "unknown";
    for (const one of expected) {
      const does = await envoy.next(eventTimeoutMs);
      expect(does).toMatchObject(one);
      // Where nothing is said to be told, nothing may be.
      expect(told(does)).toEqual(told(one));
    }
  }
  expect(await envoy.next(silenceMs)).toBeUndefined();
}

const told = (does: EngineDoes | undefined): unknown => (does !== undefined && "tells" in does ? does.tells : undefined);

/** Events in the order in which they came, to be taken one by one. */
export function eventQueue() {
  const events: EngineDoes[] = [];
  let arrived = (): void => {};
  return {
    push(event: EngineDoes): void {
      events.push(event);
      arrived();
    },
    async next(withinMs: number): Promise<EngineDoes | undefined> {
      if (events.length === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, withinMs);
          arrived = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      return events.shift();
    },
  };
}
