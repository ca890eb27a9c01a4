import { beforeAll, expect, test } from "vitest";
import { createDemoIssuer } from "../../scripts/demo/demo-issuer.ts";
import { demoRequests } from "../../scripts/demo/requests.ts";
import { placeOf, runRequest } from "../../scripts/demo/run-request.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { startTestStage } from "../support/test-stage.ts";

const issuer = createDemoIssuer();
const requests = demoRequests(issuer);
let stage: Stage;

beforeAll(async () => {
  stage = await startTestStage({ policies: await issuer.policies() });
  return () => stage.close();
});

test.for(requests)("the demo: $request.path, $title", async (demo, { task }) => {
  const { faults } = await runRequest(placeOf(stage), demo, task.id);
  expect(faults).toEqual([]);
});

test("a wrong answer, a wrong step and a request that must not have arrived are noticed", async () => {
  const [valid] = requests;
  if (valid === undefined) throw new Error("the demo has no requests");
  const changed = { ...valid, status: 401, answer: { "cache-control": "public" }, upstream: undefined, steps: "auth ran" };
  const { faults } = await runRequest(placeOf(stage), changed, "demo-wrong");
  expect(faults).toEqual([
    expect.stringContaining("the status is 200, not 401"),
    "the answer has cache-control: private, not public",
    "the request reached the upstream",
    "the steps should have been: auth ran",
  ]);
});
