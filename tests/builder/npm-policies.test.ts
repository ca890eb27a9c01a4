/** Policies, and what policies depend on, from a registry of packages. */
import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { readLock } from "../../builder/distribution/lock.ts";
import { integrityOf } from "../../builder/sources/unpack.ts";
import { testSchemas } from "../config/support.ts";
import { type NpmRegistry, startNpmRegistry } from "../support/npm-registry.ts";
import { listed } from "./distribution.ts";
import { buildIn, type Files, folderWith, tinyPolicy, writeFiles } from "./support.ts";

// A build is several processes, which a busy machine lets wait.
vi.setConfig({ testTimeout: 120_000 });

let registry: NpmRegistry;

beforeAll(async () => {
  registry = await startNpmRegistry();
});
afterAll(() => registry.close());

test("a range takes the newest version that fits; the lock keeps it until it is renewed", async () => {
  await publish("@acme/policy-geo", "1.0.0", tinyPolicy("geo", "1.0.0", "."));
  await publish("@acme/policy-geo", "1.1.0", tinyPolicy("geo", "1.1.0", "."));
  await publish("@acme/policy-geo", "2.0.0", tinyPolicy("geo", "2.0.0", "."));
  const folder = await distribution('- { npm: "@acme/policy-geo", range: ^1.0.0 }', '- { npm: "@acme/policy-geo", range: 2.0.0 }');
  expect(await buildIn(folder)).toMatchObject({ succeeded: true, text: "" });
  expect(await listed(join(folder, "out"))).toMatchObject([
    { name: "geo", version: "1.1.0", source: "npm:@acme/policy-geo@1.1.0" },
    { name: "geo", version: "2.0.0", source: "npm:@acme/policy-geo@2.0.0" },
  ]);

  await publish("@acme/policy-geo", "1.2.0", tinyPolicy("geo", "1.2.0", "."));
  expect(await buildIn(folder, { lock: "enforce" })).toMatchObject({ succeeded: true, text: "" });
  const { events } = await buildIn(folder, { lock: "renew" });
  expect(events).toContainEqual(expect.objectContaining({ text: "the source npm:@acme/policy-geo@^1.0.0: version: 1.1.0 -> 1.2.0" }));
  expect((await listed(join(folder, "out"))).map(({ version }) => version)).toEqual(["1.2.0", "2.0.0"]);
});

test("two versions of a policy depend on two versions of a package, each gets its own; the lock has the whole tree with hashes", async () => {
  for (const version of ["1.0.0", "2.0.0"]) {
    await publish("@acme/words", version, {
      "index.js": `export const word = "words ${version}";\n`,
      "index.d.ts": "export declare const word: string;\n",
    });
  }
  const speaking = (version: string, words: string): Files => ({
    ...tinyPolicy("speak", version),
    [`policies/speak/v${version}/package.json`]: JSON.stringify({ dependencies: { words: `npm:@acme/words@${words}` } }),
    [`policies/speak/v${version}/index.ts`]: `import type { PolicyDefinition } from "@envoy-policy-engine/sdk";
import { word } from "words";

export default {
  create: () => ({ request: ({ request }) => request.headers.set("x-speak", word) }),
} satisfies PolicyDefinition;
`,
    [`policies/speak/v${version}/cases.yaml`]: `cases: [{ name: speaks, expect: { request: { headers: { x-speak: "words ${words}" } } } }]\n`,
  });
  const folder = await distribution("- folder: policies");
  await writeFiles(folder, { ...speaking("1.0.0", "1.0.0"), ...speaking("2.0.0", "2.0.0") });
  expect(await buildIn(folder)).toMatchObject({ succeeded: true, text: "" });

  const { packages } = readLock(await readFile(join(folder, "distribution.lock"), "utf8"), testSchemas());
  const words = Object.values(packages).filter(({ name }) => name === "@acme/words");
  expect(words.map(({ version }) => version).sort()).toEqual(["1.0.0", "2.0.0"]);
  expect(words.map(({ integrity }) => integrity)).toEqual([expect.stringMatching(/^sha512-/), expect.stringMatching(/^sha512-/)]);
  expect(JSON.stringify(packages)).not.toContain("127.0.0.1");
});

test("a package that has been replaced in the registry is refused, a policy and what a policy depends on", async () => {
  await publish("@acme/policy-mark", "1.0.0", tinyPolicy("mark", "1.0.0", "."));
  await publish("@acme/paint", "1.0.0", { "index.js": "export const paint = 1;\n" });
  const folder = await distribution('- { npm: "@acme/policy-mark", range: ^1.0.0 }', "- folder: policies");
  await writeFiles(folder, {
    ...tinyPolicy("greet"),
    "policies/greet/v1.0.0/package.json": '{ "dependencies": { "@acme/paint": "1.0.0" } }',
  });
  const steps = new Set(["discover", "validate", "generate"] as const);
  expect(await buildIn(folder, { steps })).toMatchObject({ succeeded: true, text: "" });

  // As on another machine: nothing is kept.
  await rm(join(folder, "cache"), { recursive: true });
  await republish("@acme/policy-mark", { "evil.txt": "" }, tinyPolicy("mark", "1.0.0", "."));
  const policy = await buildIn(folder, { steps });
  expect(policy.text).toMatch(
    /^distribution\.yaml:4:5: error\[lock-integrity\] the package `@acme\/policy-mark@1\.0\.0` has been replaced: locked sha512-\S+, found sha512-/,
  );

  await writeFile(join(folder, "distribution.yaml"), "name: tiny\nversion: 1.0.0\npolicies:\n  - folder: policies\n");
  await republish("@acme/paint", { "index.js": "export const paint = 'evil';\n" });
  const dependency = await buildIn(folder, { steps });
  expect(dependency.text).toMatch(
    /error\[lock-integrity\] a package that a policy depends on has been replaced: locked sha512-\S+ found sha512-/,
  );
});

test("a lock that sends npm elsewhere is refused, with the right hash of what is there", async () => {
  await publish("@acme/policy-sign", "1.0.0", tinyPolicy("sign", "1.0.0", "."));
  await publish("@acme/ink", "1.0.0", { "index.js": "export const ink = 1;\n" });
  const folder = await distribution('- { npm: "@acme/policy-sign", range: ^1.0.0 }', "- folder: policies");
  await writeFiles(folder, {
    ...tinyPolicy("greet"),
    "policies/greet/v1.0.0/package.json": '{ "dependencies": { "@acme/ink": "1.0.0" } }',
  });
  const steps = new Set(["discover", "validate", "generate"] as const);
  expect(await buildIn(folder, { steps })).toMatchObject({ succeeded: true, text: "" });
  const file = join(folder, "distribution.lock");
  const lock = readLock(await readFile(file, "utf8"), testSchemas());
  const evil = await packed(folder, { name: "@acme/ink", version: "1.0.0" }, { "index.js": "export const ink = 'evil';\n" });
  const sign = await packed(folder, { name: "@acme/policy-sign", version: "1.0.0" }, tinyPolicy("sign", "1.0.0", "."));

  const ink = lock.packages["node_modules/@acme/ink"];
  const source = "npm:@acme/policy-sign@^1.0.0";
  const { integrity: _, ...withoutHash } = ink ?? {};
  await rm(join(folder, "cache"), { recursive: true });
  for (const [changes, place] of [
    [{ packages: { ...lock.packages, "node_modules/@acme/ink": { ...ink, ...evil } } }, "node_modules/@acme/ink"],
    [{ packages: { ...lock.packages, "node_modules/@acme/ink": withoutHash } }, "node_modules/@acme/ink"],
    [{ packages: { ...lock.packages, "node_modules/@acme/ink": { resolved: "..", link: true } } }, "node_modules/@acme/ink"],
    [{ sources: { [source]: { version: sign.resolved, integrity: sign.integrity } } }, source],
  ] as const) {
    await writeFile(file, JSON.stringify({ ...lock, ...changes }));
    const { succeeded, text } = await buildIn(folder, { lock: "enforce", steps });
    expect.soft(text).toContain(`error[lock-unreadable] the lock file cannot be read: ${place}`);
    expect.soft(succeeded).toBe(false);
  }
});

test("a policy depends on what a registry has, not on a folder or a file", async () => {
  const folder = await distribution("- folder: policies");
  const { resolved } = await packed(folder, { name: "ink", version: "1.0.0" }, { "index.js": "" });
  const steps = new Set(["discover", "validate", "generate"] as const);
  for (const range of [resolved, `file:${folder}`]) {
    await writeFiles(folder, {
      ...tinyPolicy("greet"),
      "policies/greet/v1.0.0/package.json": JSON.stringify({ dependencies: { ink: range } }),
    });
    expect((await buildIn(folder, { steps })).text).toMatch(
      /error\[dependencies-unresolved\].* node_modules\/ink does not come from a registry/,
    );
  }
});

test("a package that is not there, and a range that nothing fits", async () => {
  await publish("@acme/policy-old", "1.0.0", tinyPolicy("old", "1.0.0", "."));
  const folder = await distribution('- { npm: "@acme/policy-gone", range: ^1.0.0 }', '- { npm: "@acme/policy-old", range: ^3.0.0 }');
  const { succeeded, text } = await buildIn(folder);
  expect(succeeded).toBe(false);
  expect(text).toContain("distribution.yaml:4:5: error[source-unavailable] `@acme/policy-gone@^1.0.0` cannot be had: ");
  expect(text).toContain("distribution.yaml:5:5: error[source-unavailable] `@acme/policy-old@^3.0.0` cannot be had: ");
});

function distribution(...policies: readonly string[]): Promise<string> {
  const lines = ["name: tiny", "version: 1.0.0", "policies:", ...policies.map((policy) => `  ${policy}`)];
  return folderWith({ "distribution.yaml": `${lines.join("\n")}\n`, ".npmrc": registry.npmrc });
}

async function publish(name: string, version: string, files: Files): Promise<void> {
  const manifest = JSON.stringify({ name, version, type: "module", exports: { ".": { types: "./index.d.ts", default: "./index.js" } } });
  await registry.publish(await folderWith({ ...files, "package.json": manifest, ".npmrc": registry.npmrc }));
}

/** A tarball beside the distribution, as an entry of a lock would name it. */
async function packed(folder: string, manifest: { readonly name: string; readonly version: string }, files: Files) {
  const from = await folderWith({ ...files, "package.json": JSON.stringify({ ...manifest, type: "module" }) });
  const { stdout } = await promisify(execFile)("npm", ["pack", "--json", "--pack-destination", folder], { cwd: from });
  const [name = ""] = /[\w.-]+\.tgz/.exec(stdout) ?? [];
  const path = join(folder, name);
  return { resolved: `file:${path}`, integrity: integrityOf(await readFile(path)) };
}

/** Another package of the same name and version, as whoever owns the registry could put there. */
async function republish(name: string, ...files: readonly Files[]): Promise<void> {
  await registry.forget(name);
  await publish(name, "1.0.0", Object.assign({}, ...files));
}
