import { parseManifest } from "../../src/config/manifest.ts";
import { at } from "../../src/config/read.ts";
import type { SchemaEngine } from "../../src/config/schema-engine.ts";
import type { PolicyManifest } from "../../src/config/types.ts";
import { type Problem, problem } from "../../src/errors.ts";
import type { PolicyFolder } from "../discover.ts";
import { readCases } from "./case-problems.ts";
import { moduleProblems } from "./module-problems.ts";
import { readPackage } from "./package-problems.ts";
import { parametersText } from "./parameters-text.ts";
import { publishingProblems } from "./publishing-problems.ts";
import { documentOf, placeIn, readSources, type Sources, startOf } from "./sources.ts";

/** `basic`: what keeps a policy from being built. `strict`: also what its users miss when it is published. */
export type Preset = "basic" | "strict";

export interface CheckedPolicy {
  /** Undefined when it cannot be read. */
  readonly manifest: PolicyManifest | undefined;
  readonly problems: readonly Problem[];
}

/** Everything that is wrong with the folder of one policy version. Nothing in it is run. */
export async function checkPolicy(folder: PolicyFolder, schemas: SchemaEngine, preset: Preset): Promise<CheckedPolicy> {
  const sources = await readSources(folder);
  const parsed = parseManifest(documentOf(sources, "policy.yaml"), schemas);
  const manifest = "manifest" in parsed ? parsed.manifest : undefined;
  const packageFile = readPackage(sources);
  const cases = readCases(sources, manifest, schemas);
  const problems = [
    ...("problems" in parsed ? parsed.problems : []),
    ...missingFiles(sources),
    ...packageFile.problems,
    ...moduleProblems(sources, { kind: "policy", dependencies: packageFile.dependencies, manifest }),
    ...cases.problems,
    ...(manifest === undefined ? [] : [...nameProblems(folder, manifest, sources), ...parametersProblems(manifest, sources)]),
    ...(manifest === undefined || preset === "basic"
      ? []
      : publishingProblems({ sources, manifest, package: packageFile.manifest, cases: cases.cases })),
  ];
  return { manifest, problems };
}

/** What a policy needs besides its manifest, and why. */
const needed = {
  "index.ts": ["its default export is the policy's definition", "write it; `policy-engine new` shows how"],
  "parameters.ts": ["it has the types of the policy's parameters", "run `policy-engine lint --fix`, which writes it"],
  "cases.yaml": ["a policy without cases has never been seen to work", "write down what it promises, case by case"],
  "README.md": ["nobody knows what the policy is for", "say what it does, what each parameter means, and give an example"],
} as const;

function missingFiles(sources: Sources): readonly Problem[] {
  return Object.entries(needed)
    .filter(([file]) => !sources.files.includes(file))
    .map(([file, [why, remedy]]) => problem("policy-file-missing", startOf(sources, "policy.yaml"), { file, why, remedy }));
}

/** A folder that is not in a tree of policies has no name that the manifest could contradict. */
function nameProblems(folder: PolicyFolder, manifest: PolicyManifest, sources: Sources): readonly Problem[] {
  return (["name", "version"] as const)
    .filter((key) => folder[key] !== "" && folder[key] !== manifest[key])
    .map((key) => problem("policy-folder-name", inManifest(sources, key), { key, written: manifest[key], folder: folder[key] }));
}

function parametersProblems(manifest: PolicyManifest, sources: Sources): readonly Problem[] {
  const generated = parametersText(manifest);
  if ("untyped" in generated) {
    const facts = { detail: generated.untyped, remedy: "write the schema so that its values have a type in TypeScript" };
    return [problem("manifest-schema", inManifest(sources, "parameters"), facts)];
  }
  const written = sources.texts.get("parameters.ts");
  return written === undefined || written === generated.text ? [] : [problem("parameters-stale", startOf(sources, "parameters.ts"), {})];
}

function inManifest(sources: Sources, key: string): Pick<Problem, "position" | "path"> {
  const place = placeIn(documentOf(sources, "policy.yaml"), `/${key}`);
  return place === undefined ? startOf(sources, "policy.yaml") : at(place);
}
