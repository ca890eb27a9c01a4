import { describeValue, type Place } from "../config/node.ts";
import { detailOf, placeAt } from "../config/parameter-problems.ts";
import { pointerTo } from "../config/pointer.ts";
import { at, atKey } from "../config/read.ts";
import type { SchemaViolation } from "../config/schema-engine.ts";
import { type Problem, problem } from "../errors.ts";
import { suggest } from "../suggest.ts";

/** What the schema says against a case file, one problem for each fault. */
export function caseProblems(violations: readonly SchemaViolation[], root: Place): readonly Problem[] {
  // What the branches of a choice say is the echo of what the choice says.
  return violations.filter(({ schemaPath }) => !schemaPath.includes("/anyOf/")).flatMap((violation) => caseProblem(violation, root));
}

function caseProblem(violation: SchemaViolation, root: Place): readonly Problem[] {
  const { keyword, params, data, parentSchema, instancePath } = violation;
  const place = placeAt(root, instancePath);
  const properties: Readonly<Record<string, { readonly description?: string }>> = parentSchema?.properties ?? {};
  switch (keyword) {
    case "propertyNames":
      return [];
    case "required": {
      const key = String(params.missingProperty);
      return [problem("missing-key", atKey(place), { key, meaning: properties[key]?.description ?? "it is needed here" })];
    }
    case "additionalProperties": {
      const key = String(params.additionalProperty);
      const known = Object.keys(properties);
      return [problem("unknown-key", atKey(placeAt(place, pointerTo("", key))), { key, suggestion: suggest(key, known), known })];
    }
    case "type":
      return [
        problem("wrong-type", at(place), { expected: typeWords[String(params.type)] ?? String(params.type), found: describeValue(data) }),
      ];
    case "anyOf":
      return [problem("wrong-type", at(place), { expected: "text or a list of texts", found: describeValue(data) })];
    default:
      return [problem("case-invalid", at(place), { detail: detailOf(violation), remedy: parentSchema?.description })];
  }
}

const typeWords: Readonly<Record<string, string>> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  array: "a list",
  object: "a map",
};
