import { entryPlace, itemPlace, type Place } from "../../src/config/node.ts";
import { at, atKey } from "../../src/config/read.ts";
import type { PolicyManifest } from "../../src/config/types.ts";
import { type Problem, problem } from "../../src/errors.ts";
import type { TestCase } from "../../src/testing/case-format.ts";
import { documentOf, placeIn, type Sources, startOf } from "./sources.ts";

export interface PublishedPolicy {
  readonly sources: Sources;
  readonly manifest: PolicyManifest;
  /** Its package.json. */
  readonly package: Readonly<Record<string, unknown>> | undefined;
  readonly cases: readonly TestCase[];
}

const summaryCharactersMax = 120;

/** What somebody who finds a policy in a registry misses, and what npm needs. */
export function publishingProblems(policy: PublishedPolicy): readonly Problem[] {
  return [
    ...summaryProblems(policy),
    ...exampleProblems(policy),
    ...readmeProblems(policy),
    ...packageProblems(policy),
    ...caseProblems(policy),
  ];
}

function summaryProblems({ sources, manifest: { summary } }: PublishedPolicy): readonly Problem[] {
  const place = placeIn(documentOf(sources, "policy.yaml"), "/summary");
  const where = place === undefined ? startOf(sources, "policy.yaml") : at(place);
  const details = [
    ...(summary.length > summaryCharactersMax ? [`has ${summary.length} characters`] : []),
    ...(summary.endsWith(".") ? [] : ["does not end with a period"]),
  ];
  return details.map((detail) => problem("publish-summary", where, { detail }));
}

function exampleProblems({ sources }: PublishedPolicy): readonly Problem[] {
  const schema = placeIn(documentOf(sources, "policy.yaml"), "/parameters");
  return schema === undefined ? [] : unexplained(schema);
}

/** Keywords that show what a value looks like. A secret has no typical value. */
const showing = ["examples", "default", "enum", "const", "x-secret"];

/** Properties of a schema, at any depth, that hold a text or a number and show none. */
function unexplained(schema: Place): readonly Problem[] {
  const { node } = schema;
  if (node.kind === "list") return node.items.flatMap((item, index) => unexplained(itemPlace(schema, index, item)));
  // An example of the whole shows its parts too.
  if (node.kind !== "map" || node.entries.has("examples")) return [];
  return [...node.entries].flatMap(([keyword, entry]) => {
    const place = entryPlace(schema, keyword, entry);
    if (showing.includes(keyword)) return [];
    const properties = keyword === "properties" && place.node.kind === "map" ? [...place.node.entries] : [];
    const own = properties
      .map(([property, each]) => ({ property, place: entryPlace(place, property, each) }))
      .filter(({ place: each }) => isUnexplained(each))
      .map(({ property, place: each }) => problem("publish-example", atKey(each), { property }));
    return [...own, ...unexplained(place)];
  });
}

function isUnexplained({ node }: Place): boolean {
  if (node.kind !== "map") return false;
  const type = node.entries.get("type")?.value;
  const isPlain = type?.kind === "scalar" && ["string", "number", "integer"].includes(String(type.value));
  return isPlain && !showing.some((keyword) => node.entries.has(keyword));
}

function readmeProblems({ sources, manifest }: PublishedPolicy): readonly Problem[] {
  const readme = sources.texts.get("README.md");
  if (readme === undefined) return [];
  const unmentioned = parametersOf(manifest).filter((name) => !new RegExp(`\`${name}[\`.[]`).test(readme));
  const faults: readonly (readonly [detail: string, remedy: string])[] = [
    ...(readme.trimStart().startsWith(`# ${manifest.name}`)
      ? []
      : [["does not begin with the policy's name", `begin it with \`# ${manifest.name}\``] as const]),
    ...(/^## Parameters\b/m.test(readme) || parametersOf(manifest).length === 0
      ? []
      : [["has no section on the parameters", "add `## Parameters`, with every parameter, its default and its meaning"] as const]),
    ...unmentioned.map((name) => [`does not mention the parameter \`${name}\``, "say what it means"] as const),
    ...(new RegExp(`policy: ${manifest.name}@`).test(readme)
      ? []
      : [["has no example of a step", `show one in YAML, with \`policy: ${manifest.name}@...\``] as const]),
  ];
  return faults.map(([detail, remedy]) => problem("publish-readme", startOf(sources, "README.md"), { detail, remedy }));
}

function packageProblems({ sources, manifest, package: written }: PublishedPolicy): readonly Problem[] {
  if (written === undefined) {
    if (sources.files.includes("package.json")) return [];
    const facts = { detail: "is missing", remedy: "add one with `name`, `version`, `license` and `type: module`" };
    return [problem("publish-package", startOf(sources, "policy.yaml"), facts)];
  }
  const faults: readonly (readonly [detail: string, remedy: string])[] = [
    ...(typeof written.name === "string" ? [] : [["has no `name`", "give the package a name"] as const]),
    ...(written.version === manifest.version
      ? []
      : [["has another version than policy.yaml", `write \`"version": "${manifest.version}"\``] as const]),
    ...(typeof written.license === "string"
      ? []
      : [["has no licence", "say under which licence the policy may be used: `license`"] as const]),
    ...(written.type === "module" ? [] : [["does not say that the code is ES modules", 'write `"type": "module"`'] as const]),
    ...(written.private === true ? [["is private: npm refuses to publish it", "remove `private`"] as const] : []),
  ];
  return faults.map(([detail, remedy]) => problem("publish-package", startOf(sources, "package.json"), { detail, remedy }));
}

function caseProblems({ sources, manifest, cases }: PublishedPolicy): readonly Problem[] {
  const used = new Set(cases.flatMap(({ parameters }) => Object.keys(parameters)));
  return parametersOf(manifest)
    .filter((parameter) => !used.has(parameter))
    .map((parameter) => problem("publish-case", startOf(sources, "cases.yaml"), { parameter }));
}

function parametersOf({ parameters: { properties } }: PolicyManifest): readonly string[] {
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
}
