import type { Stage } from "../processes/start-stage.ts";
import { demoRequests } from "./requests.ts";
import { type DemoResult, runRequest } from "./run-request.ts";

/** Sends the demo's requests one after another. */
export async function runDemo(stage: Stage): Promise<readonly DemoResult[]> {
  const results: DemoResult[] = [];
  for (const [index, request] of demoRequests.entries()) results.push(await runRequest(stage, request, `demo-${index + 1}`));
  return results;
}
