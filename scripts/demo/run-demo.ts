import type { DemoIssuer } from "./demo-issuer.ts";
import { demoRequests } from "./requests.ts";
import { type DemoPlace, type DemoResult, runRequest } from "./run-request.ts";

/** Sends the demo's requests one after another. The engine must know the issuer's key. */
export async function runDemo(place: DemoPlace, issuer: DemoIssuer): Promise<readonly DemoResult[]> {
  const results: DemoResult[] = [];
  for (const [index, request] of demoRequests(issuer).entries()) results.push(await runRequest(place, request, `demo-${index + 1}`));
  return results;
}
