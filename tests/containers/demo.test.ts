/** The demo with each process in a container of its own, started one by one. */
import { getContainerRuntimeClient, type StartedTestContainer } from "testcontainers";
import { expect, test } from "vitest";
import { createDemoIssuer } from "../../scripts/demo/demo-issuer.ts";
import { demoKeys } from "../../scripts/demo/requests.ts";
import { runDemo } from "../../scripts/demo/run-demo.ts";
import type { DemoPlace } from "../../scripts/demo/run-request.ts";
import { createCleanup } from "../../scripts/processes/cleanup.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { send } from "../../scripts/processes/send.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { buildEngineImage, engineImage, noContainers } from "./container-engine.ts";
import { startPlace } from "./demo-place.ts";

test("Envoy, the engine and an upstream in containers: the demo's requests, and SIGTERM while one is open", async ({ skip }) => {
  const missing = await noContainers();
  if (missing !== undefined) return skip(missing);
  const cleanup = createCleanup();
  const issuer = createDemoIssuer();
  try {
    await buildEngineImage();
    const { engine, ...place } = await startPlace(engineImage, issuer, cleanup);
    const results = await runDemo(place, issuer);
    expect(results.filter(({ faults }) => faults.length > 0)).toEqual([]);
    await endsInOrder(engine, place);
  } finally {
    await cleanup.run();
  }
});

/** The request is open when the signal comes and longer than the engine takes new ones (3 s): its response is still worked on. */
async function endsInOrder(engine: StartedTestContainer, { envoyPort, upstream }: DemoPlace): Promise<void> {
  const id = "open-at-sigterm";
  const headers = { "x-api-key": demoKeys.alice, "x-answer": '{"delayMs":5000}', "x-request-id": id };
  const open = send(envoyPort, { path: "/orders/1", headers });
  await waitFor({ what: "the request to reach the upstream", timeoutMs: 5_000 }, () => upstream.find(id));

  const { container } = await getContainerRuntimeClient();
  const stopped = container.getById(engine.getId());
  await container.stop(stopped, { timeout: 20_000 });
  const { status, headers: answered } = await open;
  expect({ status, marks: valuesOf(answered, "cache-control") }).toEqual({ status: 200, marks: ["private"] });
  expect((await container.inspect(stopped)).State).toMatchObject({ Status: "exited", ExitCode: 0 });
}
