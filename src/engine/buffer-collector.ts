import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How many bytes of bodies pass before the buffers that held them are collected. */
const passedBytesMax = 8 * 1024 * 1024;

/**
 * Lets go of the buffers of bodies that have passed. V8 counts them as a heap's only roughly: by itself it lets some 64 MiB of them gather, however
 * short they were in use (measured), which would be memory of the process that nothing needs.
 *
 * @returns what is to be told of every piece of a body; asks for a small collection, of young objects only, each 8 MiB
 */
export function createBufferCollector(): (passedBytes: number) => void {
  const collect = youngCollection();
  let passed = 0;
  return (passedBytes) => {
    passed += passedBytes;
    if (passed < passedBytesMax) return;
    passed = 0;
    collect();
  };
}

function youngCollection(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return typeof collect === "function" ? () => void collect({ type: "minor" }) : () => {};
}
