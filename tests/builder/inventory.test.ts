/** What a distribution says it is made of. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test, vi } from "vitest";
import { billOfMaterials } from "../../builder/inventory/bill-of-materials.ts";
import { licenseList } from "../../builder/inventory/license-list.ts";
import { root } from "../../scripts/cache.mjs";
import { buildIn, folderWith, tinyPolicy } from "./support.ts";

// A build is several processes, which a busy machine lets wait.
vi.setConfig({ testTimeout: 120_000 });

const distribution = "name: tiny\nversion: 1.0.0\npolicies: [{ folder: policies }, { shipped: jwt-validation@2 }]\n";

test("the bill of materials is CycloneDX, has the engine, every policy and every package, and the licence list has their texts", async () => {
  const folder = await folderWith({ "distribution.yaml": distribution, ...tinyPolicy("greet") });
  expect(await buildIn(folder)).toMatchObject({ succeeded: true, text: "" });
  const bill: Bill = JSON.parse(await readFile(join(folder, "out/sbom.cdx.json"), "utf8"));
  expect(await violations(bill)).toEqual([]);
  const names = bill.components.map(({ name, version }) => `${name}@${version}`);
  expect(names).toEqual(expect.arrayContaining(["envoy-policy-engine@0.1.0", "greet@1.0.0", "jwt-validation@2.0.0"]));
  expect(names.filter((name) => /^(?:jose|pino|re2|re2js|yaml|@grpc\/grpc-js)@/.test(name))).toHaveLength(6);
  // Of what only builds or tests, nothing.
  expect(names.filter((name) => /^(?:esbuild|typescript|vitest|tar|set-header)@/.test(name))).toEqual([]);
  const jose = bill.components.find(({ name }) => name === "jose");
  expect(jose).toMatchObject({ licenses: [{ expression: "MIT" }], purl: expect.stringMatching(/^pkg:npm\/jose@\d/) });
  expect(jose?.hashes).toEqual([{ alg: "SHA-512", content: expect.stringMatching(/^[0-9a-f]{128}$/) }]);
  const licenses = await readFile(join(folder, "out/THIRD-PARTY-LICENSES.txt"), "utf8");
  expect(licenses).toMatch(/^jose \d\S+ {2}MIT$/m);
  expect(licenses).toContain("Copyright (c) 2018 Filip Skokan");
});

describe("what a package says of its licence", () => {
  const bill = (license: string | undefined) =>
    billOfMaterials({
      buildInfo: { name: "tiny", version: "1.0.0", lockHash: "ab", engine: "0.1.0", esbuild: "1", typescript: "1", target: "node22" },
      lock: {
        lockVersion: 1,
        distribution: { name: "tiny", version: "1.0.0" },
        engine: { version: "0.1.0", sdk: 1, hash: "ab".repeat(32) },
        tools: { esbuild: "1", typescript: "1", target: "node22" },
        sources: {},
        policies: {},
        packages: {},
        addons: {},
      },
      policies: [],
      packages: [{ name: "@acme/words", version: "1.0.0", license, texts: [], integrity: undefined }],
    });

  test.each(["MIT", "(MIT OR Apache-2.0)", "GPL-2.0-only WITH Classpath-exception-2.0", "SEE LICENSE IN terms.txt", undefined])(
    "%s",
    async (license) => {
      expect(await violations(bill(license))).toEqual([]);
      expect(licenseList([{ name: "@acme/words", version: "1.0.0", license, texts: ["All yours."], integrity: undefined }])).toContain(
        "All yours.",
      );
    },
  );
});

interface Bill {
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly hashes?: readonly unknown[];
  }[];
}

/** Against the schema of CycloneDX, which its own library carries. */
async function violations(bill: unknown): Promise<readonly string[]> {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  for (const name of ["spdx", "jsf-0.82"])
    ajv.addSchema({ ...(await schema(name)), $id: `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json` });
  ajv.validate(await schema("bom-1.6"), bill);
  return (ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

async function schema(name: string): Promise<object> {
  const file = join(root, "node_modules/@cyclonedx/cyclonedx-library/res/schema", `${name}.SNAPSHOT.schema.json`);
  return JSON.parse(await readFile(file, "utf8"));
}
