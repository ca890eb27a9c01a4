import { demoRequests } from "./requests.ts";
import { type DemoPlace, type DemoResult, runRequest } from "./run-request.ts";

/** Sends the demo's requests one after another. */
export async function runDemo(place: DemoPlace): Promise<readonly DemoResult[]> {
  const results: DemoResult[] = [];
  for (const [index, request] of demoRequests.entries()) results.push(await runRequest(place, request, `demo-${index + 1}`));
  return results;
}
