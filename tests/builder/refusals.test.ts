/** What stops a build: each case is a small tree that is laid over a distribution which builds, with the words that a person gets. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { parse } from "yaml";
import { stepNames } from "../../builder/events.ts";
import { casesIn, expectGolden } from "../config/goldens.ts";
import { buildIn, type Files, folderWith, tinyPolicy } from "./support.ts";

// A build is several processes, which a busy machine lets wait.
vi.setConfig({ testTimeout: 120_000 });

const whole: Files = {
  "distribution.yaml": "name: tiny\nversion: 1.0.0\npolicies:\n  - folder: policies\n",
  ...tinyPolicy("greet"),
};

test("the distribution that the cases are laid over builds", async () => {
  const folder = await folderWith(whole);
  expect(await buildIn(folder)).toMatchObject({ succeeded: true, text: "" });
  expect(JSON.parse(await readFile(`${folder}/out/build-info.json`, "utf8"))).toMatchObject({ name: "tiny", version: "1.0.0" });
});

test("an image is refused where there is no Docker; git and strip may be missing, too", async () => {
  vi.stubEnv("PATH", "");
  onTestFinished(() => void vi.unstubAllEnvs());
  const { succeeded, text } = await buildIn(await folderWith(whole), { image: "tiny:1" });
  expect(succeeded).toBe(false);
  expectGolden(fileURLToPath(new URL("goldens/image-failed.golden.txt", import.meta.url)), `${text}\n`);
});

describe("a build stops and says why", () => {
  // What is skipped has its own case where it finds the same.
  test.each(casesIn("../builder/refusals/"))("$name", async ({ documents, goldenPath }) => {
    const { skip, ...files }: Files & { readonly skip?: string } = parse(documents[0]?.text ?? "");
    const steps = new Set(stepNames.filter((step) => step !== skip));
    const { succeeded, text } = await buildIn(await folderWith({ ...whole, ...files }), { steps });
    expect(succeeded).toBe(false);
    expectGolden(goldenPath, `${text}\n`);
  });
});
