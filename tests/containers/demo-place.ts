import { join } from "node:path";
import { GenericContainer, Network, type StartedTestContainer, Wait } from "testcontainers";
import type { DemoIssuer } from "../../scripts/demo/demo-issuer.ts";
import type { DemoPlace } from "../../scripts/demo/run-request.ts";
import type { Cleanup } from "../../scripts/processes/cleanup.ts";
import { envoyImage } from "./container-engine.ts";
import { demoFolder } from "./demo-folder.ts";
import { seenByUpstream } from "./upstream-log.ts";

/** Envoy, an engine and an upstream as `configs/compose` says, each in a container; the last two from the same image. */
export async function startPlace(
  image: string,
  issuer: DemoIssuer,
  { add }: Cleanup,
): Promise<DemoPlace & { readonly engine: StartedTestContainer }> {
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
    new GenericContainer(image)
      .withEntrypoint(["node", "scripts/upstream.ts"])
      .withCopyDirectoriesToContainer([{ source: join(folder, "scripts"), target: "/opt/policy-engine/scripts" }])
      .withExposedPorts(8_080)
      .withWaitStrategy(Wait.forHttp("/", 8_080)),
  );
  const engine = await start(
    "engine",
    new GenericContainer(image)
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
