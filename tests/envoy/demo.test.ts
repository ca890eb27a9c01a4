import { beforeAll, expect, test } from "vitest";
import { demoRequests } from "../../scripts/demo/requests.ts";
import { runRequest } from "../../scripts/demo/run-request.ts";
import { type Stage, startStage } from "../../scripts/processes/start-stage.ts";

let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
  return () => stage.close();
});

test.each(demoRequests.map((demo, index) => [demo.title, demo, `demo-${index}`] as const))("the demo: %s", async (_title, demo, id) => {
  const result = await runRequest(stage, demo, id);
  expect(result.faults).toEqual([]);
});

test("a wrong answer, a wrong step and a request that must not have arrived are noticed", async () => {
  const [valid] = demoRequests;
  if (valid === undefined) throw new Error("the demo has no requests");
  const changed = { ...valid, status: 401, answer: { "cache-control": "public" }, upstream: undefined, steps: "auth ran" };
  const { faults } = await runRequest(stage, changed, "demo-wrong");
  expect(faults).toEqual([
    expect.stringContaining("the status is 200, not 401"),
    "the answer has cache-control: private, not public",
    "the request reached the upstream",
    "the steps should have been: auth ran",
  ]);
});
