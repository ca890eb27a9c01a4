/** A built distribution beside a real Envoy: two versions of one policy, from two places outside of this repository, on two routes. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { root } from "../../scripts/cache.mjs";
import { send } from "../../scripts/processes/send.ts";
import { buildIn, folderWith, tinyPolicy } from "../builder/support.ts";
import { startTestStage } from "../support/test-stage.ts";

const policies = `
version: 1
chains:
  older: { steps: [{ policy: greet@1, parameters: { mark: first } }] }
  newer: { steps: [{ policy: greet@2 }, { policy: set-header@2.0.0, parameters: { request: [{ set: { name: x-shipped, value: "yes" } }] } }] }
routes: { catalogue-v1: older, catalogue-v2: newer }
`;

test("a policy of one's own: made by `new`, mended as its README says, tested, built, and asked by Envoy", async () => {
  const folder = await folderWith({ "distribution.yaml": "name: own\nversion: 1.0.0\npolicies: [{ folder: policies/tenant-header }]\n" });
  const run = (program: string, ...args: readonly string[]) => promisify(execFile)(process.execPath, [program, ...args], { cwd: folder });
  const checkout = join(root, "bin/policy-engine.mjs");
  await run(checkout, "new", "tenant-header");
  const code = join(folder, "policies/tenant-header/v1.0.0/index.ts");
  await writeFile(code, (await readFile(code, "utf8")).replace("headers.has(", "headers.get("));
  await run(checkout, "test", "policies/tenant-header");
  await run(checkout, "build", "--update", "--out", "gateway");
  const own =
    "{ version: 1, chains: { own: { steps: [{ policy: tenant-header@1, parameters: { header: x-tenant } }] } }, routes: { health: own } }";
  const stage = await startTestStage({ policies: own, program: join(folder, "gateway/policy-engine.mjs") });
  try {
    expect(await send(stage.envoy.port, { path: "/health" })).toMatchObject({ status: 400, body: "the header x-tenant is missing\n" });
    expect((await send(stage.envoy.port, { path: "/health", headers: { "x-tenant": "blue" } })).status).toBe(200);
  } finally {
    await stage.close();
  }
});

test("two versions of a policy serve two routes; what was built is told by the log, the metrics and `list`", async () => {
  const folder = await folderWith({
    "distribution.yaml":
      "name: tiny\nversion: 3.2.1\npolicies: [{ folder: legacy/greet/v1.0.0 }, { folder: policies }, { shipped: set-header@2 }]\n",
    ...tinyPolicy("greet", "1.0.0", "legacy/greet/v1.0.0"),
    ...tinyPolicy("greet", "2.0.0"),
  });
  expect(await buildIn(folder)).toMatchObject({ succeeded: true, text: "" });
  const stage = await startTestStage({ policies, program: join(folder, "out/policy-engine.mjs") });
  try {
    const { engine, envoy, upstream } = stage;
    expect((await send(envoy.port, { path: "/v1/catalogue" })).status).toBe(200);
    expect((await send(envoy.port, { path: "/v2/catalogue" })).status).toBe(200);
    const seen = upstream.requests.map(({ headers }) => headers.filter(([name]) => ["x-greet", "x-shipped"].includes(name)));
    expect(seen).toEqual([
      [["x-greet", "first"]],
      [
        ["x-greet", "2.0.0"],
        ["x-shipped", "yes"],
      ],
    ]);
    expect(engine.log.find(({ msg }) => msg === "ready")).toMatchObject({
      distribution: { name: "tiny", version: "3.2.1", lockHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    const { body } = await send(engine.adminPort, { path: "/metrics" });
    expect(body).toMatch(/policy_engine_build_info\{.*distribution="tiny",distribution_version="3\.2\.1",lock="[0-9a-f]{64}"/);
  } finally {
    await stage.close();
  }
});
