import { type HeaderLine, valuesOf } from "../processes/header-lines.ts";
import { type ClientResponse, send } from "../processes/send.ts";
import type { Stage } from "../processes/start-stage.ts";
import type { SeenRequest } from "../processes/start-upstream.ts";
import { explanationOf, stepsText } from "./explanations.ts";
import type { DemoRequest, ExpectedHeaders } from "./requests.ts";

export interface DemoResult {
  readonly demo: DemoRequest;
  readonly status: number;
  /** What the steps did, `no chain` when none was asked. */
  readonly steps: string;
  /** Everything that is not as it should be; empty when all is well. */
  readonly faults: readonly string[];
}

/** Where the demo's requests go and where their traces are. */
export interface DemoPlace {
  readonly envoyPort: number;
  readonly engineAdminPort: number;
  readonly upstream: SeenRequests;
}

/** Who knows which requests have reached the upstream. */
export interface SeenRequests {
  find(requestId: string): SeenRequest | undefined | Promise<SeenRequest | undefined>;
}

export function placeOf({ envoy, engine, upstream }: Stage): DemoPlace {
  return { envoyPort: envoy.port, engineAdminPort: engine.adminPort, upstream };
}

/** @param id the request's `x-request-id`, another one for each request */
export async function runRequest({ envoyPort, engineAdminPort, upstream }: DemoPlace, demo: DemoRequest, id: string): Promise<DemoResult> {
  const response = await send(envoyPort, { ...demo.request, headers: { ...demo.request.headers, "x-request-id": id } });
  const steps = stepsText(await explanationOf(engineAdminPort, id));
  const faults = [...answerFaults(demo, response), ...upstreamFaults(demo, await upstream.find(id)), ...stepFaults(demo, steps)];
  return { demo, status: response.status, steps, faults };
}

function answerFaults({ status, answer = {} }: DemoRequest, response: ClientResponse): readonly string[] {
  const wrong = response.status === status ? [] : [`the status is ${response.status}, not ${status}: ${response.body.trim()}`];
  return [...wrong, ...headerFaults("the answer", answer, response.headers)];
}

function upstreamFaults({ upstream }: DemoRequest, seen: SeenRequest | undefined): readonly string[] {
  if (upstream === undefined) return seen === undefined ? [] : ["the request reached the upstream"];
  if (seen === undefined) return ["the request did not reach the upstream"];
  const path =
    upstream.path === undefined || upstream.path === seen.path ? [] : [`the upstream saw the path ${seen.path}, not ${upstream.path}`];
  return [...path, ...headerFaults("what the upstream saw", upstream.headers ?? {}, seen.headers)];
}

function stepFaults(demo: DemoRequest, steps: string): readonly string[] {
  return demo.steps === steps ? [] : [`the steps should have been: ${demo.steps}`];
}

function headerFaults(where: string, expected: ExpectedHeaders, lines: readonly HeaderLine[]): readonly string[] {
  return Object.entries(expected).flatMap(([name, value]) => {
    const found = valuesOf(lines, name);
    if (value === undefined) return found.length === 0 ? [] : [`${where} has ${name}: ${found.join(", ")}`];
    return found.length === 1 && found[0] === value ? [] : [`${where} has ${name}: ${found.join(", ") || "(none)"}, not ${value}`];
  });
}
