import type { BuildInfo } from "../../src/build-info.ts";
import type { Lock } from "../distribution/lock.ts";
import type { GeneratedPolicy } from "../steps/generate.ts";
import type { BundledPackage } from "./bundled-packages.ts";

export interface Inventory {
  readonly buildInfo: BuildInfo;
  readonly lock: Lock;
  readonly policies: readonly Pick<GeneratedPolicy, "manifest" | "source" | "hash">[];
  readonly packages: readonly BundledPackage[];
}

/**
 * What is in a distribution, as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json): the engine, the policies and every package. Without a serial
 * number and a time, which would make two builds of the same thing differ.
 */
export function billOfMaterials({ buildInfo, lock, policies, packages }: Inventory): Readonly<Record<string, unknown>> {
  const { name, version, lockHash, sourceCommit } = buildInfo;
  const components = [
    {
      type: "framework",
      "bom-ref": `engine@${lock.engine.version}`,
      name: "envoy-policy-engine",
      version: lock.engine.version,
      licenses: licenses("Apache-2.0"),
      hashes: [{ alg: "SHA-256", content: lock.engine.hash }],
    },
    ...policies.map(({ manifest, source, hash }) => ({
      type: "library",
      "bom-ref": `policy:${manifest.name}@${manifest.version}`,
      name: manifest.name,
      version: manifest.version,
      description: manifest.summary,
      hashes: [{ alg: "SHA-256", content: hash }],
      ...(source.startsWith("npm:") ? { purl: purl(source.slice("npm:".length)) } : {}),
      properties: [{ name: "policy-engine:source", value: source }],
    })),
    ...packages.map(({ name: packageName, version: packageVersion, license, integrity }) => ({
      type: "library",
      "bom-ref": purl(`${packageName}@${packageVersion}`),
      name: packageName,
      version: packageVersion,
      purl: purl(`${packageName}@${packageVersion}`),
      ...(license === undefined ? {} : { licenses: licenses(license) }),
      ...(integrity?.startsWith("sha512-") ? { hashes: [{ alg: "SHA-512", content: hexOf(integrity) }] } : {}),
    })),
  ];
  const root = `${name}@${version}`;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": root,
        name,
        version,
        properties: [
          { name: "policy-engine:lock", value: lockHash },
          ...(sourceCommit === undefined ? [] : [{ name: "policy-engine:commit", value: sourceCommit }]),
        ],
      },
      tools: {
        components: [
          { type: "application", name: "esbuild", version: lock.tools.esbuild },
          { type: "application", name: "typescript", version: lock.tools.typescript },
        ],
      },
    },
    components,
    dependencies: [{ ref: root, dependsOn: components.map((component) => component["bom-ref"]) }],
  };
}

/** `@acme/geo@1.0.0` -> `pkg:npm/%40acme/geo@1.0.0` (https://github.com/package-url/purl-spec) */
function purl(name: string): string {
  return `pkg:npm/${name.replace(/^@/, "%40")}`;
}

function licenses(license: string): readonly unknown[] {
  const isExpression = /^\(?[A-Za-z\d.+-]+(?: (?:OR|AND|WITH) \(?[A-Za-z\d.+-]+\)?)*\)?$/.test(license);
  return [isExpression ? { expression: license } : { license: { name: license } }];
}

function hexOf(integrity: string): string {
  return Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex");
}
