import type { ExpressionContext } from "../../src/config/check-expression.ts";
import { checkParameters } from "../../src/config/check-parameters.ts";
import type { Place } from "../../src/config/node.ts";
import { placeAt } from "../../src/config/parameter-problems.ts";
import type { SchemaEngine } from "../../src/config/schema-engine.ts";
import { stepScope } from "../../src/config/scope.ts";
import { defaultEnvoyPromises } from "../../src/config/settings.ts";
import type { CheckEnvironment, PolicyManifest, PolicyRelease } from "../../src/config/types.ts";
import { type Problem, problem } from "../../src/errors.ts";
import { type CaseFile, parseCases, type TestCase } from "../../src/testing/case-format.ts";
import { documentOf, type Sources, startOf } from "./sources.ts";

/** The cases of a policy, and what is wrong with them without running them: their form, and parameters that the policy does not take. */
export function readCases(sources: Sources, manifest: PolicyManifest | undefined, schemas: SchemaEngine): CaseCheck {
  if (!sources.texts.has("cases.yaml")) return { cases: [], problems: [] };
  const parsed = parseCases(documentOf(sources, "cases.yaml"), schemas);
  if ("problems" in parsed) return { cases: [], problems: parsed.problems };
  const { cases } = parsed.file;
  if (manifest === undefined) return { cases, problems: [] };
  return { cases, problems: [...parameterProblems(parsed.file, manifest, schemas), ...denialProblems(cases, sources, manifest)] };
}

export interface CaseCheck {
  readonly cases: readonly TestCase[];
  readonly problems: readonly Problem[];
}

function parameterProblems({ cases, environment, files }: CaseFile, manifest: PolicyManifest, schemas: SchemaEngine): readonly Problem[] {
  const release: PolicyRelease = { manifest, definition: { create: () => ({}) }, source: "", hash: "" };
  const context: ExpressionContext = { scope: stepScope(new Map(), "unknown"), patterns: schemas.patterns };
  const secret: CheckEnvironment["secret"] = ({ kind, name }) => {
    const value = (kind === "env" ? environment : files)[name];
    return value === undefined ? { missing: `the case file gives none under \`${kind === "env" ? "environment" : "files"}\`` } : { value };
  };
  const checks = { environment: { policies: new Map(), schemas, secret, envoy: defaultEnvoyPromises }, secret };
  // Cases share parameters by aliases: what is wrong with them is wrong once.
  const found = new Map<string, Problem>();
  for (const { expect, place } of cases) {
    if (expect?.refused !== undefined) continue;
    checkParameters(parametersOf(place), release, context, checks, (each) => {
      // What a configuration is warned of, such as a secret in clear text, is made up here.
      if (each.severity === "error") found.set(JSON.stringify([each.code, each.position]), each);
    });
  }
  return [...found.values()];
}

/** Where a case has no parameters, what is missing is missing in the case. */
function parametersOf(place: Place): Place {
  const hasOwn = place.node.kind === "map" && place.node.entries.has("parameters");
  if (hasOwn) return placeAt(place, "/parameters");
  return { ...place, node: { kind: "map", entries: new Map(), position: place.node.position } };
}

function denialProblems(cases: readonly TestCase[], sources: Sources, { name, version, protects }: PolicyManifest): readonly Problem[] {
  const denies = cases.some(({ expect }) => (expect?.reply?.status ?? 0) >= 400);
  return !protects || denies ? [] : [problem("cases-without-denial", startOf(sources, "cases.yaml"), { policy: `${name}@${version}` })];
}
