import type { StreamHandler } from "../../src/kernel/transport.ts";
import { type EngineDoes, engineDoes } from "../conversations/conversation.ts";
import type { EngineUnderTest } from "../conversations/engine-under-test.ts";

/** A stream whose every write is kept, in order. It does not hide writes after the end, as a transport would. */
export interface ObservedStream {
  readonly handler: StreamHandler;
  readonly events: readonly EngineDoes[];
}

export function openStream({ open }: EngineUnderTest, metadata: Readonly<Record<string, string>>): ObservedStream {
  const events: EngineDoes[] = [];
  const handler = open(
    { get: (key) => metadata[key] },
    {
      send: (bytes) => {
        events.push(engineDoes(bytes));
        return true;
      },
      sendAndEnd: (bytes) => void events.push(engineDoes(bytes), { end: "ok" }),
      end: () => void events.push({ end: "ok" }),
      fail: (status) => void events.push({ end: status === "unavailable" ? "unavailable" : "internal" }),
      pause: () => {},
      resume: () => {},
    },
  );
  return { handler, events };
}
