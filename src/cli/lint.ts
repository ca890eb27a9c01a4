import { readdir, writeFile } from "node:fs/promises";
import { join, normalize, resolve, sep } from "node:path";
import { Command, Option } from "commander";
import { openPolicyFolder, type PolicyFolder } from "../../builder/discover.ts";
import { readManifest } from "../../builder/read-manifest.ts";
import { parametersText } from "../../builder/validation/parameters-text.ts";
import type { Preset } from "../../builder/validation/policy-problems.ts";
import { validatePolicies } from "../../builder/validation/validate-policies.ts";
import { createSchemaEngine, type SchemaEngine } from "../config/schema-engine.ts";
import { loadPatternEngine } from "../expressions/patterns.ts";
import type { MakeCommand } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";
import { isFolder } from "./is-folder.ts";
import { printProblems, problemCount } from "./print-problems.ts";

interface Options {
  readonly preset: Preset;
  readonly fix?: boolean;
  readonly json?: boolean;
}

export const lintCommand: MakeCommand = (_policies, exit) =>
  new Command("lint")
    .description("Says everything that is wrong with policy folders, without running anything in them.")
    .argument("<paths...>", "policy folders, or folders that hold such folders")
    .addOption(
      new Option("--preset <preset>", "basic: what keeps a policy from being built; strict: also what its users would miss")
        .choices(["basic", "strict"])
        .default("basic"),
    )
    .option("--fix", "first writes parameters.ts as policy.yaml says")
    .option("--json", "for machines: a list of problems")
    .addHelpText("after", "\nExample:\n  policy-engine lint policies/set-header/v2.0.0 --preset strict")
    .action(async (paths: string[], options: Options) => {
      const schemas = createSchemaEngine(loadPatternEngine().engine);
      const folders = await openFolders(paths);
      if (options.fix === true) for (const folder of folders) await writeParameters(folder, schemas);
      const problems = await validatePolicies(options.fix === true ? await openFolders(paths) : folders, schemas, options.preset);
      printProblems(problems, options);
      if (options.json !== true) process.stderr.write(`${problems.length === 0 ? "fine" : problemCount(problems)}\n`);
      if (problems.some(({ severity }) => severity === "error")) exit(exitCodes.findings);
    });

/** @throws when a path does not exist, and when there is no policy below it */
async function openFolders(paths: readonly string[]): Promise<readonly PolicyFolder[]> {
  const folders: PolicyFolder[] = [];
  for (const path of paths) {
    if (!(await isFolder(path))) throw new Error(`${path}: no folder; name the folder of a policy`);
    const found = await foldersBelow(path);
    if (found.length === 0) throw new Error(`${path}: there is no policy.yaml here and below`);
    folders.push(...found);
  }
  return [...new Map(folders.map((folder) => [folder.path, folder])).values()];
}

async function foldersBelow(path: string): Promise<readonly PolicyFolder[]> {
  const entries = await readdir(path, { withFileTypes: true });
  if (entries.some(({ name }) => name === "policy.yaml")) return [await openPolicyFolder(resolve(path), shownPath(path))];
  const below = entries
    .filter((entry) => entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort()
    .map((name) => foldersBelow(join(path, name)));
  return (await Promise.all(below)).flat();
}

/** As it was given, with forward slashes and none at its end. */
const shownPath = (path: string): string =>
  normalize(path)
    .split(sep)
    .join("/")
    .replace(/(?<=.)\/$/, "");

/** Leaves alone what cannot be generated: the check that follows says why. */
async function writeParameters(folder: PolicyFolder, schemas: SchemaEngine): Promise<void> {
  const parsed = await readManifest(folder, schemas);
  const generated = "problems" in parsed ? undefined : parametersText(parsed.manifest);
  if (generated !== undefined && "text" in generated) await writeFile(join(folder.path, "parameters.ts"), generated.text);
}
