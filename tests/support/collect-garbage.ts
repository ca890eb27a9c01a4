import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** One full collection. What survives it counts as old. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("no garbage can be collected");
  collect();
}
