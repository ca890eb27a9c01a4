import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { NpmPackages } from "../distribution/lock.ts";

/** A package of npm that is in a distribution, in the bundle or beside it. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** As its package.json says, an SPDX expression as a rule; undefined when it says nothing. */
  readonly license: string | undefined;
  /** Texts of its licence files, in the order of their names. */
  readonly texts: readonly string[];
  /** npm's hash of its tarball, `sha512-...`; undefined for a package of the engine's own. */
  readonly integrity: string | undefined;
}

export interface PackageSearch {
  /** Files that went into the bundle, and packages that are copied beside it; relative to the build's folder. */
  readonly paths: readonly string[];
  readonly build: string;
  /** Of the engine's checkout, and of what the policies depend on. */
  readonly locks: { readonly engine: NpmPackages; readonly policies: NpmPackages };
}

/** Each package once, by name and version. */
export async function bundledPackages({ paths, build, locks }: PackageSearch): Promise<readonly BundledPackage[]> {
  const folders = new Set(paths.flatMap((path) => packageFolder(path) ?? []));
  const packages = await Promise.all([...folders].map((folder) => readPackage(folder, build, locks)));
  const distinct = new Map(packages.map((each) => [`${each.name}@${each.version}`, each]));
  return [...distinct.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, each]) => each);
}

/** `engine/node_modules/a/node_modules/@b/c/lib/d.js` -> `engine/node_modules/a/node_modules/@b/c` */
function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

async function readPackage(folder: string, build: string, locks: PackageSearch["locks"]): Promise<BundledPackage> {
  const path = join(build, folder);
  const manifest: { readonly name?: string; readonly version?: string; readonly license?: unknown } = JSON.parse(
    await readFile(join(path, "package.json"), "utf8"),
  );
  const files = (await readdir(path)).filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file)).sort();
  const texts = await Promise.all(files.map(async (file) => (await readFile(join(path, file), "utf8").catch(() => "")).trim()));
  const locked = folder.startsWith("engine/") ? locks.engine[folder.slice("engine/".length)] : locks.policies[folder];
  return {
    name: manifest.name ?? "",
    version: manifest.version ?? "",
    license: typeof manifest.license === "string" ? manifest.license : undefined,
    texts: texts.filter((text) => text !== ""),
    integrity: locked?.integrity,
  };
}
