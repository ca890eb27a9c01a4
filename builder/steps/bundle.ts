import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Message, type Metafile } from "esbuild";
import { type Problem, problem } from "../../src/errors.ts";
import type { BuildContext } from "../build-context.ts";
import { copyExternals, externalPackages } from "../copy-externals.ts";
import { BuildFailure } from "../events.ts";
import { launcherText } from "../launcher.ts";
import { originalOf, placeIn, policyName } from "../originals.ts";
import { target } from "../tools.ts";
import type { Generated, GeneratedPolicy } from "./generate.ts";

/** The program, in the folder that becomes the distribution: checks which Node this is, and starts the engine. */
export const programFile = "policy-engine.mjs";

/** Everything else, in one module. */
export const engineFile = "engine.mjs";

export interface Bundled {
  /** What becomes the distribution. */
  readonly folder: string;
  /** Every file that went in, relative to the build's folder. */
  readonly inputs: readonly string[];
  readonly bytes: number;
}

/**
 * One ES module with a source map, and what starts it. Paths in both are relative to the build's folder, so that they say nothing of this machine.
 *
 * @throws a `BuildFailure` when something cannot be bundled, and when a policy brings what is not its own
 */
export async function bundle(generated: Generated, { engineRoot, cache, output }: BuildContext): Promise<Bundled> {
  const { folder, policies, addon } = generated;
  const out = join(folder, "out");
  await mkdir(out, { recursive: true });
  await copyExternals(engineRoot, out, addon, cache);
  const built = await build({
    entryPoints: ["generated/entry.ts"],
    outfile: `out/${engineFile}`,
    absWorkingDir: folder,
    bundle: true,
    format: "esm",
    platform: "node",
    target,
    // The engine and the packages are links: their real paths are this machine's.
    preserveSymlinks: true,
    external: [...externalPackages],
    sourcemap: "linked",
    sourceRoot: "policy-engine:///",
    metafile: true,
    legalComments: "none",
    charset: "utf8",
    logLevel: "silent",
    // Nothing of a tsconfig.json that happens to lie somewhere above.
    tsconfigRaw: {},
    // Packages in CommonJS ask for the modules of Node with `require`, which an ES module does not have.
    banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
  }).catch((error: unknown) => {
    const errors = messagesOf(error);
    if (errors === undefined) throw error;
    throw new BuildFailure(errors.map((message) => bundleProblem(message, policies)));
  });
  if (built.warnings.length > 0) output("esbuild", built.warnings.map(({ text }) => text).join("\n"));
  const strays = await strayImports(built.metafile, generated);
  if (strays.length > 0) throw new BuildFailure(strays);
  await writeFile(join(out, programFile), launcherText(engineFile));
  const bytes = built.metafile.outputs[`out/${engineFile}`]?.bytes ?? 0;
  return { folder: out, inputs: Object.keys(built.metafile.inputs).sort(), bytes };
}

function messagesOf(error: unknown): readonly Message[] | undefined {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors) ? error.errors : undefined;
}

function bundleProblem({ text, location }: Message, policies: readonly GeneratedPolicy[]): Problem {
  const where = placeIn(location?.file ?? "generated/entry.ts", location?.line ?? 1, (location?.column ?? 0) + 1, policies);
  const policy = location && originalOf(location.file, policies)?.policy;
  const [, specifier] = /^Could not resolve "([^"]+)"/.exec(text) ?? [];
  if (policy && specifier !== undefined) return problem("policy-import", where, { policy: policyName(policy), specifier });
  return problem("bundle-failed", where, { detail: text.charAt(0).toLowerCase() + text.slice(1) });
}

/**
 * What a policy's own files may import: its own files, packages, and modules of Node. The engine may import what it wants; of policies it knows
 * only the registry.
 */
async function strayImports({ inputs }: Metafile, { folder, policies }: Generated): Promise<readonly Problem[]> {
  const found = Object.entries(inputs).map(async ([importer, { imports }]) => {
    const policy = policies.find((each) => importer.startsWith(`${each.folder}/`));
    if (policy === undefined) return [];
    const mine = (path: string): boolean => path.startsWith(`${policy.folder}/`) || path.startsWith("node_modules/");
    const strays = imports.filter(({ path, external }) => external !== true && !mine(path));
    if (strays.length === 0) return [];
    const code = await readFile(join(folder, importer), "utf8");
    return strays.map(({ path, original = path }) => {
      const before = code.slice(0, Math.max(0, code.indexOf(original))).split("\n");
      const where = placeIn(importer, before.length, (before.at(-1)?.length ?? 0) + 1, policies);
      return problem("policy-reaches-out", where, { policy: policyName(policy), imported: original });
    });
  });
  return (await Promise.all(found)).flat();
}
