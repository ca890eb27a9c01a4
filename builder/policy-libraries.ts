import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { filesIn } from "./files-in.ts";

/** A package under `policies/lib` that policies share. */
export interface PolicyLibrary {
  /** As its package.json says. */
  readonly name: string;
  /** Where it is on this machine. */
  readonly path: string;
  /** Relative to the folder that was searched, with forward slashes: `policies/lib/key-sets`. */
  readonly source: string;
  /** Relative to the folder, with forward slashes, sorted. Without what was installed into it. */
  readonly files: readonly string[];
  /** Names of the packages that it depends on. */
  readonly dependencies: readonly string[];
}

/** Every `policies/lib/<folder>/` below `root` that has a package.json, by the name in it. Empty where there is no `policies/lib`. */
export async function discoverLibraries(root: string): Promise<ReadonlyMap<string, PolicyLibrary>> {
  const folder = join(root, "policies/lib");
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const libraries = entries
    .filter((entry) => entry.isDirectory())
    .map(async (entry) => readLibrary(join(folder, entry.name), `policies/lib/${entry.name}`));
  return new Map((await Promise.all(libraries)).flat().map((library) => [library.name, library]));
}

/** The libraries that a package with these dependencies brings along, each once, ordered by name. */
export function librariesBehind(dependencies: readonly string[], libraries: ReadonlyMap<string, PolicyLibrary>): readonly PolicyLibrary[] {
  const found = new Map<string, PolicyLibrary>();
  const follow = (name: string): void => {
    const library = libraries.get(name);
    if (library === undefined || found.has(name)) return;
    found.set(name, library);
    library.dependencies.forEach(follow);
  };
  dependencies.forEach(follow);
  return [...found.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Names under `dependencies` of a package.json. */
export function dependenciesOf(manifest: unknown): readonly string[] {
  if (typeof manifest !== "object" || manifest === null || !("dependencies" in manifest)) return [];
  const { dependencies } = manifest;
  return typeof dependencies === "object" && dependencies !== null ? Object.keys(dependencies) : [];
}

async function readLibrary(path: string, source: string): Promise<readonly PolicyLibrary[]> {
  const files = await filesIn(path);
  if (!files.includes("package.json")) return [];
  const manifest: unknown = JSON.parse(await readFile(join(path, "package.json"), "utf8"));
  const name: unknown = typeof manifest === "object" && manifest !== null && "name" in manifest ? manifest.name : undefined;
  if (typeof name !== "string") throw new Error(`${join(path, "package.json")} has no \`name\`: policies could not import the package`);
  return [{ name, path, source, files, dependencies: dependenciesOf(manifest) }];
}
