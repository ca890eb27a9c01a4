/** The demo with Envoy in a container, from the public image, and everything else on the host. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ContainerRuntimeClient, GenericContainer, getContainerRuntimeClient, ImageName, Wait } from "testcontainers";
import { expect, test } from "vitest";
import { createDemoIssuer, type DemoIssuer } from "../../scripts/demo/demo-issuer.ts";
import { runDemo } from "../../scripts/demo/run-demo.ts";
import type { DemoPlace } from "../../scripts/demo/run-request.ts";
import { type Cleanup, createCleanup } from "../../scripts/processes/cleanup.ts";
import { readData, writeData } from "../../scripts/processes/data.ts";
import { demoConfig, moveSettings } from "../../scripts/processes/demo-configs.ts";
import { moveEnvoy } from "../../scripts/processes/envoy-bootstrap.ts";
import { holdPort } from "../../scripts/processes/free-port.ts";
import { startEngine } from "../../scripts/processes/start-engine.ts";
import { startUpstream } from "../../scripts/processes/start-upstream.ts";
import { temporaryFolder } from "../../scripts/processes/temporary-folder.ts";

const image = "envoyproxy/envoy:v1.36.2";
/** Inside the container. */
const listener = { host: "0.0.0.0", port: 10_000 };
const admin = { host: "0.0.0.0", port: 9_901 };

test(`Envoy in a container, from ${image}: the demo's requests`, async ({ skip }) => {
  const host = await hostForContainers();
  if ("missing" in host) return skip(host.missing);
  const cleanup = createCleanup();
  try {
    const issuer = createDemoIssuer();
    const results = await runDemo(await startPlace(host.address, issuer, cleanup), issuer);
    expect(results.filter(({ faults }) => faults.length > 0)).toEqual([]);
  } finally {
    await cleanup.run();
  }
}, 120_000);

/** The address of this machine that containers reach, when there are a container engine, the image and such an address. */
async function hostForContainers(): Promise<{ readonly address: string } | { readonly missing: string }> {
  let client: ContainerRuntimeClient;
  try {
    client = await getContainerRuntimeClient();
  } catch {
    return { missing: "no container engine: neither DOCKER_HOST nor the default socket answers" };
  }
  if (!(await client.image.exists(ImageName.fromString(image)))) return { missing: `no image ${image}: \`docker pull ${image}\` gets it` };
  const bridge = await client.container.dockerode.getNetwork("bridge").inspect();
  const address: unknown = bridge.IPAM?.Config?.[0]?.Gateway;
  // Not looked up among the network interfaces: a bridge without containers is down, and is not listed.
  const held = typeof address === "string" ? await holdPort(address).catch(() => undefined) : undefined;
  if (typeof address !== "string" || held === undefined) {
    return { missing: "the container engine runs on another machine or in a virtual one: its bridge has no address here" };
  }
  await held.release();
  return { address };
}

async function startPlace(host: string, issuer: DemoIssuer, { add }: Cleanup): Promise<DemoPlace> {
  const { path: folder, remove } = await temporaryFolder();
  add(remove);
  const policiesFile = join(folder, "policies.yaml");
  await writeFile(policiesFile, await issuer.policies());
  const upstream = await startUpstream(host);
  add(upstream.stop);

  const [enginePort, engineAdminPort] = await Promise.all([holdPort(host), holdPort()]);
  await Promise.all([enginePort.release(), engineAdminPort.release()]);
  const engineAddress = { host, port: enginePort.port };
  const settings = moveSettings(readData(await demoConfig("settings.yaml")), engineAddress, engineAdminPort.port, policiesFile);
  const engine = await startEngine({ name: "engine", settings, adminPort: engineAdminPort.port, folder });
  add(engine.stop);

  const addresses = { listener, admin, upstream: { host, port: upstream.port }, engines: [engineAddress] };
  const bootstrap = writeData(moveEnvoy(readData(await demoConfig("envoy.yaml")), addresses));
  const envoy = await new GenericContainer(image)
    .withCopyContentToContainer([{ content: bootstrap, target: "/etc/envoy/envoy.yaml" }])
    .withExposedPorts(listener.port, admin.port)
    .withWaitStrategy(Wait.forHttp("/ready", admin.port))
    .withStartupTimeout(60_000)
    .start();
  add(() => envoy.stop());
  return { envoyPort: envoy.getMappedPort(listener.port), engineAdminPort: engine.adminPort, upstream };
}
