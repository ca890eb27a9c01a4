/** How much memory a Node process really uses, asked through its inspector: nothing in the process itself has to be able to answer. */
import { once } from "node:events";
import type { Child } from "../../scripts/processes/child-process.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";

export interface LiveMemory {
  /** What is in use of the heap. */
  readonly heapBytes: number;
  /** What the heap holds on to outside of it, buffers above all. */
  readonly externalBytes: number;
  readonly residentBytes: number;
}

/** What Node is started with to be asked; on loopback, on any free port. */
export const inspectable: readonly string[] = ["--inspect=127.0.0.1:0"];

const answerMsMax = 30_000;

/** Where the inspector of a process is found that was started with `inspectable`. To be asked before it has said much else. */
export function inspectorOf(child: Child): Promise<string> {
  return waitFor({ what: `the inspector of the ${child.name}`, timeoutMs: answerMsMax }, () => {
    const [address] = child.lastLines().flatMap((line) => /^Debugger listening on (ws:\S+)$/.exec(line)?.[1] ?? []);
    return address;
  });
}

/** After a full collection: what is really held. Rejects when the process does not answer within 30 s. */
export function readLiveMemory(inspector: string): Promise<LiveMemory> {
  return readMemory(inspector, ["HeapProfiler.collectGarbage", "HeapProfiler.collectGarbage"]);
}

/** As it is, with what is still to be collected. Rejects when the process does not answer within 30 s. */
export function readUsedMemory(inspector: string): Promise<LiveMemory> {
  return readMemory(inspector, []);
}

/** @param before what is done first; what one collection finalizes is free for the next */
async function readMemory(inspector: string, before: readonly string[]): Promise<LiveMemory> {
  const socket = new WebSocket(inspector);
  const signal = AbortSignal.timeout(answerMsMax);
  try {
    await once(socket, "open", { signal });
    let id = 0;
    const ask = async (method: string, params: object = {}): Promise<unknown> => {
      id += 1;
      const answer = once(socket, "message", { signal });
      socket.send(JSON.stringify({ id, method, params }));
      const [event] = await answer;
      return JSON.parse(event.data);
    };
    for (const method of before) await ask(method);
    return memoryIn(await ask("Runtime.evaluate", { expression: "JSON.stringify(process.memoryUsage())" }));
  } finally {
    socket.close();
  }
}

function memoryIn(answer: unknown): LiveMemory {
  const text: unknown = at(at(at(answer, "result"), "result"), "value");
  const usage: unknown = typeof text === "string" ? JSON.parse(text) : undefined;
  const [heapBytes, externalBytes, residentBytes] = ["heapUsed", "external", "rss"].map((key) => Number(at(usage, key)));
  if (!heapBytes || !externalBytes || !residentBytes) throw new Error(`the inspector has answered ${JSON.stringify(answer)}`);
  return { heapBytes, externalBytes, residentBytes };
}

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
