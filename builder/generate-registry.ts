import type { PolicyManifest } from "../src/config/types.ts";
import type { GeneratedFile } from "./generated-file.ts";

/** One policy version as the registry lists it. */
export interface RegistryEntry {
  readonly manifest: PolicyManifest;
  /** The folder to import it from, relative to that of the registry's root, with forward slashes. */
  readonly folder: string;
  /** Where it comes from, for `list`. */
  readonly source: string;
  /** SHA-256 of what it runs as, hex. */
  readonly hash: string;
}

/** Where a registry stands and what it is made by. */
export interface RegistryPlace {
  /** The folder for it, relative to the root: `src/generated`. */
  readonly folder: string;
  /** The engine's sources, as an import in that folder sees them. */
  readonly engine: string;
  /** What makes it, for the first line of each file. */
  readonly maker: string;
}

/** Of the checkout itself. */
export const checkoutRegistry: RegistryPlace = { folder: "src/generated", engine: "..", maker: "npm run generate" };

/**
 * `registry.ts`, a plain list of the policies that are compiled in, and a module for each manifest beside it. The list imports every policy, so
 * that the compiler checks all of them; it does nothing when it is imported.
 *
 * @param entries - ordered as the list shall be
 * @throws when two entries are the same version of the same policy: a distribution that takes one of them would be a surprise
 */
export function generateRegistry(entries: readonly RegistryEntry[], place: RegistryPlace): readonly GeneratedFile[] {
  demandDistinct(entries);
  return [
    { path: `${place.folder}/registry.ts`, text: registryText(entries, place) },
    ...entries.map((entry) => ({
      path: `${place.folder}/${manifestModule(entry.manifest)}`,
      text: manifestText(entry, place),
    })),
  ];
}

function registryText(entries: readonly RegistryEntry[], { folder: own, engine, maker }: RegistryPlace): string {
  const root = "../".repeat(own.split("/").length);
  const imports = entries.flatMap(({ manifest, folder }) => [
    `import ${identifier(manifest)} from "${root}${folder}/index.ts";`,
    `import { manifest as ${identifier(manifest)}Manifest } from "./${manifestModule(manifest)}";`,
  ]);
  const releases = entries.map(({ manifest, source, hash }) =>
    [
      "  {",
      `    manifest: ${identifier(manifest)}Manifest,`,
      `    definition: ${identifier(manifest)},`,
      `    source: ${JSON.stringify(source)},`,
      `    hash: ${JSON.stringify(hash)},`,
      "  },",
    ].join("\n"),
  );
  return [
    `// Generated from the manifests under policies/ by \`${maker}\`.`,
    ...imports,
    `import type { PolicyRegistry, PolicyRelease } from "${engine}/config/types.ts";`,
    "",
    "const releases: readonly PolicyRelease[] = [",
    ...releases,
    "];",
    "",
    "/** The policies that are compiled in, by `name@version`. */",
    "export const policies: PolicyRegistry = new Map(releases.map((release) => [`${release.manifest.name}@${release.manifest.version}`, release]));",
    "",
  ].join("\n");
}

function manifestText({ manifest, folder }: RegistryEntry, { engine, maker }: RegistryPlace): string {
  return [
    `// Generated from ${folder}/policy.yaml by \`${maker}\`.`,
    `import type { PolicyManifest } from "../${engine}/config/types.ts";`,
    "",
    `export const manifest: PolicyManifest = ${JSON.stringify(manifest, null, 2)};`,
    "",
  ].join("\n");
}

const manifestModule = ({ name, version }: PolicyManifest): string => `manifests/${name}-${version}.ts`;

/** `set-header` 1.0.0-rc.1 -> `setHeader_1_0_0_rc_1` */
function identifier({ name, version }: PolicyManifest): string {
  const camel = name.replace(/-+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return `${camel}_${version.replace(/[^0-9A-Za-z]/g, "_")}`;
}

function demandDistinct(entries: readonly RegistryEntry[]): void {
  const sources = new Map<string, string>();
  for (const { manifest, source } of entries) {
    const key = `${manifest.name}@${manifest.version}`;
    const first = sources.get(key);
    if (first !== undefined) throw new Error(`${key} is in ${first} and in ${source}: remove one of them or give it another version`);
    sources.set(key, source);
  }
}
