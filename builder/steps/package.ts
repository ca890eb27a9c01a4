import { chmod, cp, mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { problem } from "../../src/errors.ts";
import type { BuildContext } from "../build-context.ts";
import { externalPackages } from "../copy-externals.ts";
import { lockText } from "../distribution/lock.ts";
import { BuildFailure } from "../events.ts";
import { billOfMaterials } from "../inventory/bill-of-materials.ts";
import { bundledPackages } from "../inventory/bundled-packages.ts";
import { licenseList } from "../inventory/license-list.ts";
import type { LockFile } from "../production-packages.ts";
import { target } from "../tools.ts";
import { type Bundled, programFile } from "./bundle.ts";
import type { Generated } from "./generate.ts";

/** What says that a folder was made by a build, and from what. */
const infoFile = "build-info.json";

/**
 * Completes the distribution and puts it into `out`, in place of an earlier one. Modes and times do not depend on this machine.
 *
 * @returns for people: where it is and how large
 * @throws a `BuildFailure` when `out` holds something else
 */
export async function packageDistribution(
  generated: Generated,
  { folder, inputs }: Bundled,
  out: string,
  context: BuildContext,
): Promise<string> {
  await demandFreeOutput(out);
  const files = await describe(generated, inputs, context);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await mkdir(out, { recursive: true });
  for (const name of await readdir(out)) await rm(join(out, name), { recursive: true });
  await cp(folder, out, { recursive: true });
  const bytes = await normalise(out);
  return `${out}, ${(bytes / 1e6).toFixed(1)} MB; run it with \`node ${join(out, programFile)}\``;
}

/** @throws a `BuildFailure` when `out` holds anything but an earlier distribution */
export async function demandFreeOutput(out: string): Promise<void> {
  const names: readonly string[] = await readdir(out).catch((error: NodeJS.ErrnoException): readonly string[] => {
    if (error.code === "ENOENT") return [];
    throw new BuildFailure([occupied(out)]);
  });
  if (names.length > 0 && !names.includes(infoFile)) throw new BuildFailure([occupied(out)]);
}

function occupied(folder: string) {
  return problem("output-occupied", { position: { uri: folder, line: 1, column: 1 }, path: "" }, { folder });
}

/** The files that say what the bundle is. */
async function describe(
  { buildInfo, lock, policies, folder: build }: Generated,
  inputs: readonly string[],
  { engineRoot }: BuildContext,
): Promise<Readonly<Record<string, string>>> {
  const { name, version } = buildInfo;
  const manifest = {
    name,
    version,
    description: "A distribution of Envoy Policy Engine.",
    private: true,
    type: "module",
    bin: { "policy-engine": programFile },
    engines: { node: `>=${target.replace("node", "")}` },
  };
  const engineLock: LockFile = JSON.parse(await readFile(join(engineRoot, "package-lock.json"), "utf8"));
  const paths = [...inputs, ...externalPackages.map((external) => `engine/node_modules/${external}/package.json`)];
  const packages = await bundledPackages({ paths, build, locks: { engine: engineLock.packages, policies: lock.packages } });
  return {
    "package.json": json(manifest),
    [infoFile]: json(buildInfo),
    "distribution.lock": lockText(lock),
    "sbom.cdx.json": json(billOfMaterials({ buildInfo, lock, policies, packages })),
    LICENSE: await readFile(join(engineRoot, "LICENSE"), "utf8"),
    "THIRD-PARTY-LICENSES.txt": licenseList(packages),
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** As npm stamps what it packs. */
const stamp = new Date("1985-10-26T08:15:00Z");

/** @returns the size of all files in bytes */
async function normalise(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      bytes += await normalise(path);
      continue;
    }
    await chmod(path, entry.name === programFile ? 0o755 : 0o644);
    await utimes(path, stamp, stamp);
    bytes += (await readFile(path)).length;
  }
  await chmod(folder, 0o755);
  await utimes(folder, stamp, stamp);
  return bytes;
}
