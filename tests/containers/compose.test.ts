/** `docker compose up` as README.md says, in a copy of what it needs: the policies are edited there. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DockerComposeEnvironment, type StartedDockerComposeEnvironment, Wait } from "testcontainers";
import { expect, test } from "vitest";
import { createDemoIssuer } from "../../scripts/demo/demo-issuer.ts";
import { runDemo } from "../../scripts/demo/run-demo.ts";
import type { DemoPlace } from "../../scripts/demo/run-request.ts";
import { createCleanup } from "../../scripts/processes/cleanup.ts";
import { send } from "../../scripts/processes/send.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { buildEngineImage, noContainers } from "./container-engine.ts";
import { demoFolder } from "./demo-folder.ts";
import { seenByUpstream } from "./upstream-log.ts";

test("docker compose up: the demo's requests, and an edit of the policies", async ({ skip }) => {
  const missing = await noContainers();
  if (missing !== undefined) return skip(missing);
  const cleanup = createCleanup();
  const issuer = createDemoIssuer();
  try {
    await buildEngineImage();
    const { path: folder, remove } = await demoFolder(issuer);
    cleanup.add(remove);
    const compose = await new DockerComposeEnvironment(folder, "docker-compose.yml")
      .withEnvironment({ ENVOY_PORT: "0", ENGINE_ADMIN_PORT: "0" })
      .withWaitStrategy("envoy-1", Wait.forHttp("/health", 10_000))
      .up();
    cleanup.add(() => compose.down());

    const place = await placeOf(compose);
    const results = await runDemo(place, issuer);
    expect(results.filter(({ faults }) => faults.length > 0)).toEqual([]);
    await takesAnEdit(place, join(folder, "configs/demo/policies.yaml"));
  } finally {
    await cleanup.run();
  }
});

async function placeOf(compose: StartedDockerComposeEnvironment): Promise<DemoPlace> {
  const envoyPort = compose.getContainer("envoy-1").getMappedPort(10_000);
  return {
    envoyPort,
    engineAdminPort: compose.getContainer("engine-1").getMappedPort(9_101),
    upstream: await seenByUpstream(compose.getContainer("upstream-1"), envoyPort),
  };
}

/** As an editor does it: another file under the same name. */
async function takesAnEdit({ envoyPort }: DemoPlace, policiesFile: string): Promise<void> {
  const policies = await readFile(policiesFile, "utf8");
  await writeFile(`${policiesFile}.new`, policies.replace("set-header 2.0.0", "an edit"));
  await rename(`${policiesFile}.new`, policiesFile);
  await waitFor({ what: "the edit to take effect", timeoutMs: 10_000 }, async () => {
    const { body } = await send(envoyPort, { path: "/v2/catalogue" });
    return body.includes('["x-set-by","an edit"]') ? true : undefined;
  });
}
