import { type Problem, problem } from "../errors.ts";
import { checkExpression } from "./check-expression.ts";
import { entryPlace, itemPlace, type Place, plainValue } from "./node.ts";
import { detailOf, placeAt } from "./parameter-problems.ts";
import { at } from "./read.ts";
import type { MarkedText, SchemaEngine } from "./schema-engine.ts";
import { compile, fault, mapValue, strictProblem, subschemas } from "./schema-parts.ts";
import { stepScope } from "./scope.ts";
import type { JsonSchema } from "./types.ts";

/** A default that its own schema refuses would make every step fail that relies on it, and an example that is refused teaches the wrong thing. */
export function valueProblems(place: Place, root: JsonSchema, schemas: SchemaEngine): readonly Problem[] {
  const { node } = place;
  if (node.kind !== "map") return [];
  const below = [...node.entries].flatMap(([keyword, entry]) =>
    subschemas(keyword, entryPlace(place, keyword, entry)).flatMap((schema) => valueProblems(schema, root, schemas)),
  );
  const values = shownValues(place);
  if (values.length === 0) return below;
  const { default: _, ...schema } = mapValue(node);
  const compiled = compile({ ...schema, $defs: root.$defs ?? {} }, schemas);
  if ("complaint" in compiled) return [...below, strictProblem(place, compiled.complaint)];
  return [
    ...below,
    ...values.flatMap(({ what, place: written }) => {
      const { violations, marked } = compiled.validate(structuredClone(plainValue(written.node)));
      const [violation] = violations;
      if (violation === undefined) return marked.flatMap((each) => markedProblems(written, each, schemas));
      return [fault(written, `the ${what} is not valid: it ${detailOf(violation)}`, `correct the ${what} or the schema`)];
    }),
  ];
}

/** What is wrong with an expression or a pattern. Which metadata there is depends on the chain, so nothing is said about it. */
function markedProblems(value: Place, { pointer, mark }: MarkedText, { patterns }: SchemaEngine): readonly Problem[] {
  const place = placeAt(value, pointer);
  const { node } = place;
  if (node.kind !== "scalar") return [];
  const source = { text: String(node.value), path: place.path, positionOf: node.positionOf };
  const problems: Problem[] = [];
  if (mark !== "regex") {
    checkExpression(source, mark, { scope: stepScope(new Map(), "unknown"), patterns }, (found) => problems.push(found));
    return problems;
  }
  const compilation = patterns.compile(source.text);
  return "pattern" in compilation
    ? []
    : [problem("pattern-invalid", at(place), { detail: compilation.problem.message, remedy: compilation.problem.remedy })];
}

/** The default and the examples that a schema gives. */
function shownValues(schema: Place): readonly { readonly what: "default" | "example"; readonly place: Place }[] {
  if (schema.node.kind !== "map") return [];
  const { entries } = schema.node;
  const written = entries.get("default");
  const examples = entries.get("examples");
  const list = examples && entryPlace(schema, "examples", examples);
  return [
    ...(written === undefined ? [] : [{ what: "default" as const, place: entryPlace(schema, "default", written) }]),
    ...(list?.node.kind !== "list"
      ? []
      : list.node.items.map((item, index) => ({ what: "example" as const, place: itemPlace(list, index, item) }))),
  ];
}
