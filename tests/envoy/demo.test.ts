import { beforeAll, expect, test } from "vitest";
import { demoRequests } from "../../scripts/demo/requests.ts";
import { placeOf, runRequest } from "../../scripts/demo/run-request.ts";
import { type Stage, startStage } from "../../scripts/processes/start-stage.ts";

let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
  return () => stage.close();
});

test.for(demoRequests)("the demo: $title", async (demo, { task }) => {
  const { faults } = await runRequest(placeOf(stage), demo, task.id);
  expect(faults).toEqual([]);
});

test("a wrong answer, a wrong step and a request that must not have arrived are noticed", async () => {
  const [valid] = demoRequests;
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
