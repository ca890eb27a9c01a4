import { sortProblems } from "../../src/config/problems.ts";
import type { SchemaEngine } from "../../src/config/schema-engine.ts";
import { type Problem, problem } from "../../src/errors.ts";
import type { PolicyFolder } from "../discover.ts";
import type { PolicyLibrary } from "../policy-libraries.ts";
import { moduleProblems } from "./module-problems.ts";
import { readPackage } from "./package-problems.ts";
import { checkPolicy, type Preset } from "./policy-problems.ts";
import { readSources, startOf } from "./sources.ts";

/** Every problem of every folder, sorted. Nothing in the folders is run, and nothing outside of them is looked at. */
export async function validatePolicies(
  folders: readonly PolicyFolder[],
  schemas: SchemaEngine,
  preset: Preset = "basic",
): Promise<readonly Problem[]> {
  const checked = await Promise.all(folders.map((folder) => checkPolicy(folder, schemas, preset)));
  return sortProblems(checked.flatMap(({ problems }) => problems));
}

/** What is wrong with packages that policies share: they live by the same rules. */
export async function validateLibraries(libraries: readonly PolicyLibrary[]): Promise<readonly Problem[]> {
  const found = await Promise.all(
    libraries.map(async (library) => {
      const sources = await readSources(library);
      const facts = { file: "README.md", why: "nobody knows what the package is for", remedy: "say what it is for, and what it exports" };
      const missing = library.files.includes(facts.file) ? [] : [problem("policy-file-missing", startOf(sources, "package.json"), facts)];
      return [
        ...missing,
        ...moduleProblems(sources, { kind: "library", dependencies: readPackage(sources).dependencies, manifest: undefined }),
      ];
    }),
  );
  return sortProblems(found.flat());
}
