/** Images of distributions: made from a folder that was built here, and made where there is nothing but Docker. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { discoverPolicies } from "../../builder/discover.ts";
import { root } from "../../scripts/cache.mjs";
import { createDemoIssuer } from "../../scripts/demo/demo-issuer.ts";
import { runDemo } from "../../scripts/demo/run-demo.ts";
import { createCleanup } from "../../scripts/processes/cleanup.ts";
import { buildIn, folderWith, tinyPolicy } from "../builder/support.ts";
import { buildBuilderImage, docker, noContainers } from "./container-engine.ts";
import { startPlace } from "./demo-place.ts";

/** What it holds besides its base. */
const ownBytesMax = 12_000_000;

test("the image of a distribution of all shipped policies passes the demo's requests behind a real Envoy", async ({ skip }) => {
  const missing = await noContainers();
  if (missing !== undefined) return skip(missing);
  const image = "policy-engine-test-distribution:demo";
  const cleanup = createCleanup();
  try {
    const shipped = await discoverPolicies(root);
    const policies = shipped.map(({ name, version }) => `  - shipped: ${name}@${version}\n`).join("");
    const folder = await folderWith({ "distribution.yaml": `name: demo\nversion: 1.0.0\npolicies:\n${policies}` });
    cleanup.add(() => docker("image", "rm", "--force", image));
    expect(await buildIn(folder, { image })).toMatchObject({ succeeded: true, text: "" });

    const [base, own] = await Promise.all([size("node:24-bookworm-slim"), size(image)]);
    expect(own - base).toBeLessThan(ownBytesMax);
    expect(await docker("inspect", "--format", "{{.Config.User}} {{.Config.StopSignal}} {{.Config.Healthcheck}}", image)).toMatch(
      /^1000:1000 SIGTERM .*healthz/,
    );
    const inside = await docker("run", "--rm", "--read-only", "--entrypoint", "node", image, "-e", selfPortrait);
    expect(JSON.parse(inside)).toEqual({ writing: "EROFS", owners: [0], packages: ["re2", "re2js"], re2: true });

    const issuer = createDemoIssuer();
    const place = await startPlace(image, issuer, cleanup);
    const results = await runDemo(place, issuer);
    expect(results.filter(({ faults }) => faults.length > 0)).toEqual([]);
  } finally {
    await cleanup.run();
  }
});

test("with Docker alone an image is made from a folder with a manifest; a folder, too", async ({ skip }) => {
  const missing = await noContainers();
  if (missing !== undefined) return skip(missing);
  const image = "policy-engine-test-distribution:recipe";
  const cleanup = createCleanup();
  try {
    const builder = await buildBuilderImage();
    const folder = await folderWith({
      "distribution.yaml": "name: tiny\nversion: 1.0.0\npolicies: [{ folder: policies }]\n",
      ...tinyPolicy("greet"),
    });
    cleanup.add(() => docker("image", "rm", "--force", image));
    await docker(
      ...["build", "--network", "none", "--file", "Dockerfile.builder", "--target", "runtime", "--build-context", `recipe=${folder}`],
      ...["--tag", image, "."],
    );
    expect(await docker("run", "--rm", "--read-only", image, "list")).toContain("greet@1.0.0");

    await docker("run", "--rm", "--network", "none", "--volume", `${folder}:/recipe`, builder, "--out", "gateway");
    expect(
      await docker(
        "run",
        "--rm",
        "--network",
        "none",
        "--volume",
        `${folder}:/recipe`,
        "--entrypoint",
        "node",
        builder,
        "gateway/policy-engine.mjs",
        "list",
      ),
    ).toContain("greet@1.0.0");
    // Built a second time by whoever runs the tests: the same lock holds on both sides.
    expect(await buildIn(folder, { lock: "enforce", out: join(folder, "here") })).toMatchObject({ succeeded: true, text: "" });
  } finally {
    await cleanup.run();
  }
});

/** Runs inside. */
const selfPortrait = `
  const { readdirSync, statSync, writeFileSync } = require("node:fs");
  const code = (work) => { try { work(); return "done"; } catch (error) { return error.code; } };
  const files = readdirSync(".", { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  console.log(JSON.stringify({
    writing: code(() => writeFileSync("own.txt", "")),
    owners: [...new Set(files.map(({ parentPath, name }) => statSync(parentPath + "/" + name).uid))],
    packages: readdirSync("node_modules"),
    re2: new (require("re2"))("^a+$").test("aa"),
  }));
`;

async function size(image: string): Promise<number> {
  return Number(await docker("image", "inspect", "--format", "{{.Size}}", image));
}
