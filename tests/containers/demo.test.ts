/** The demo with each process in a container of its own, started one by one. */
import { join } from "node:path";
import { GenericContainer, getContainerRuntimeClient, Network, type StartedTestContainer, Wait } from "testcontainers";
import { expect, test } from "vitest";
import { createDemoIssuer, type DemoIssuer } from "../../scripts/demo/demo-issuer.ts";
import { demoKeys } from "../../scripts/demo/requests.ts";
import { runDemo } from "../../scripts/demo/run-demo.ts";
import type { DemoPlace } from "../../scripts/demo/run-request.ts";
import { type Cleanup, createCleanup } from "../../scripts/processes/cleanup.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { send } from "../../scripts/processes/send.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { buildEngineImage, engineImage, envoyImage, noContainers } from "./container-engine.ts";
import { demoFolder } from "./demo-folder.ts";
import { seenByUpstream } from "./upstream-log.ts";

test("Envoy, the engine and an upstream in containers: the demo's requests, and SIGTERM while one is open", async ({ skip }) => {
  const missing = await noContainers();
  if (missing !== undefined) return skip(missing);
  const cleanup = createCleanup();
  const issuer = createDemoIssuer();
  try {
    const { engine, ...place } = await startPlace(issuer, cleanup);
    const results = await runDemo(place, issuer);
    expect(results.filter(({ faults }) => faults.length > 0)).toEqual([]);
    await endsInOrder(engine, place);
  } finally {
    await cleanup.run();
  }
});

async function startPlace(issuer: DemoIssuer, { add }: Cleanup): Promise<DemoPlace & { readonly engine: StartedTestContainer }> {
  await buildEngineImage();
  const { path: folder, remove } = await demoFolder(issuer);
  add(remove);
  const network = await new Network().start();
  add(() => network.stop());
  const start = async (name: string, container: GenericContainer): Promise<StartedTestContainer> => {
    const started = await container.withNetwork(network).withNetworkAliases(name).start();
    add(() => started.stop());
    return started;
  };

  const upstream = await start(
    "upstream",
    new GenericContainer(engineImage)
      .withEntrypoint(["node", "scripts/upstream.ts"])
      .withCopyDirectoriesToContainer([{ source: join(folder, "scripts"), target: "/opt/policy-engine/scripts" }])
      .withExposedPorts(8_080)
      .withWaitStrategy(Wait.forHttp("/", 8_080)),
  );
  const engine = await start(
    "engine",
    new GenericContainer(engineImage)
      .withCommand(["serve", "--settings", "/etc/policy-engine/compose/settings.yaml"])
      .withCopyDirectoriesToContainer([{ source: join(folder, "configs"), target: "/etc/policy-engine" }])
      .withExposedPorts(9_101)
      .withWaitStrategy(Wait.forHttp("/readyz", 9_101)),
  );
  const envoy = await start(
    "envoy",
    new GenericContainer(envoyImage)
      .withCopyFilesToContainer([{ source: join(folder, "configs/compose/envoy.yaml"), target: "/etc/envoy/envoy.yaml" }])
      .withExposedPorts(10_000)
      .withWaitStrategy(Wait.forHttp("/health", 10_000)),
  );
  const envoyPort = envoy.getMappedPort(10_000);
  return { engine, envoyPort, engineAdminPort: engine.getMappedPort(9_101), upstream: await seenByUpstream(upstream, envoyPort) };
}

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
