/** Parameters as written -> validated, completed, secrets in their places, expressions and patterns compiled, frozen. */
import { problem } from "../errors.ts";
import { canonicalHash } from "./canonical.ts";
import { checkExpression, type ExpressionContext, type SourceText } from "./check-expression.ts";
import { entryPlace, itemPlace, type Place } from "./node.ts";
import { isChoice, parameterProblems, placeAt } from "./parameter-problems.ts";
import { pointerKeys, pointerTo } from "./pointer.ts";
import { isNothing, type Report } from "./read.ts";
import type { Mark, SchemaViolation } from "./schema-engine.ts";
import { type ReadSecret, referencesIn, reportSecretFaults, reportSecretInKey, resolveText } from "./secrets.ts";
import { literalSecrets, reportLiteralSecrets, shownTexts, type WrittenText } from "./shown-parameters.ts";
import type { CheckEnvironment, CompiledParameter, PolicyRelease } from "./types.ts";

export interface CheckedParameters {
  readonly value: unknown;
  /** Over the resolved value, expressions and patterns by their text. */
  readonly hash: string;
  /** By JSON Pointer, the paths of variables that each expression reads. */
  readonly reads: ReadonlyMap<string, readonly string[]>;
  /** See {@link CheckedStep.shownParameters}. */
  readonly shown: unknown;
  /** See {@link CheckedStep.literalSecrets}. */
  readonly literalSecrets: ReadonlyMap<string, string>;
}

/** Undefined when there are problems; all of them are reported. */
export function checkParameters(
  place: Place,
  release: PolicyRelease,
  context: ExpressionContext,
  { environment, secret }: { readonly environment: CheckEnvironment; readonly secret: ReadSecret },
  reportProblem: Report,
): CheckedParameters | undefined {
  let failed = false;
  const report: Report = (found) => {
    failed ||= found.severity === "error";
    reportProblem(found);
  };
  const texts = new Map<string, WrittenText>();
  const value = isNothing(place) ? {} : resolve(place, "", texts, secret, report);
  const { violations, marked, secrets } = environment.schemas.validator(release.manifest.parameters)(value);
  const marks = new Map(marked.map(({ pointer, mark }) => [pointer, mark]));

  for (const [pointer, text] of texts) reportReferences(text, marks.get(pointer), report);
  for (const found of parameterProblems(violations.filter(decidable(texts)), place)) report(found);

  const sources = new Map<string, string>();
  const compiled = new Map<string, CompiledParameter>();
  const reads = new Map<string, readonly string[]>();
  for (const [pointer, mark] of marks) {
    const source = sourceOf(pointer, mark, texts.get(pointer), value, place);
    sources.set(pointer, source.text);
    if (mark === "regex") {
      const pattern = compilePattern(source, texts.get(pointer), context, report);
      if (pattern !== undefined) compiled.set(pointer, pattern);
    } else {
      const expression = checkExpression(source, mark, context, report);
      if (expression === undefined) continue;
      compiled.set(pointer, expression);
      reads.set(pointer, expression.reads);
    }
  }
  reportLiteralSecrets(texts, secrets, report);
  if (failed) return undefined;
  return {
    value: frozen(value, "", compiled),
    hash: canonicalHash(frozen(value, "", sources)),
    reads,
    shown: frozen(value, "", shownTexts(texts, secrets)),
    literalSecrets: literalSecrets(texts, secrets),
  };
}

/** The plain value with secrets in place; `texts` keeps by pointer how each text was written. */
function resolve(place: Place, pointer: string, texts: Map<string, WrittenText>, secret: ReadSecret, report: Report): unknown {
  const { node, path } = place;
  if (node.kind === "list") {
    return node.items.map((item, index) => resolve(itemPlace(place, index, item), pointerTo(pointer, index), texts, secret, report));
  }
  if (node.kind === "map") {
    const entries = [...node.entries].map(([key, entry]) => {
      const child = entryPlace(place, key, entry);
      reportSecretInKey(key, child, report);
      return [key, resolve(child, pointerTo(pointer, key), texts, secret, report)] as const;
    });
    return Object.fromEntries(entries);
  }
  if (typeof node.value !== "string") return node.value;
  const resolved = resolveText(node.value, secret);
  texts.set(pointer, { node, text: node.value, path, resolved });
  return resolved.text;
}

function reportReferences({ node, text, path, resolved }: WrittenText, mark: Mark | undefined, report: Report): void {
  if (mark === undefined || mark === "regex") return reportSecretFaults(resolved.faults, node, path, report);
  for (const [offset, reference] of referencesIn(text)) {
    report(problem("secret-misplaced", { position: node.positionOf(offset), path }, { reference, place: "an expression" }));
  }
}

/** A text whose secret is missing is not what will be validated once it is there: what is said against it now would mislead. */
function decidable(texts: ReadonlyMap<string, WrittenText>): (violation: SchemaViolation) => boolean {
  const unresolved = new Set([...texts].filter(([, { resolved }]) => resolved.faults.length > 0).map(([pointer]) => pointer));
  const holdsUnresolved = (path: string): boolean => [...unresolved].some((pointer) => pointer.startsWith(`${path}/`));
  return (violation) => !unresolved.has(violation.instancePath) && !(isChoice(violation) && holdsUnresolved(violation.instancePath));
}

/** The text to compile. In an expression nothing is replaced; a default of the schema stands where the nearest written value stands. */
function sourceOf(pointer: string, mark: Mark, written: WrittenText | undefined, value: unknown, root: Place): SourceText {
  if (written === undefined) {
    const { node, path } = placeAt(root, pointer);
    return { text: String(valueAt(value, pointer)), path, positionOf: () => node.position };
  }
  const { node, text, path, resolved } = written;
  if (mark !== "regex") return { text, path, positionOf: node.positionOf };
  return { text: resolved.text, path, positionOf: () => node.position };
}

function compilePattern(
  source: SourceText,
  written: WrittenText | undefined,
  context: ExpressionContext,
  report: Report,
): CompiledParameter | undefined {
  if (written !== undefined && written.resolved.faults.length > 0) return undefined;
  const compilation = context.patterns.compile(source.text);
  if ("pattern" in compilation) return compilation.pattern;
  const { message, remedy } = compilation.problem;
  // The engine's words quote the pattern, and so the secret in it.
  const detail = written?.resolved.holdsSecret === true ? "what the secret reference makes of it is not valid RE2" : message;
  report(problem("pattern-invalid", { position: source.positionOf(0), path: source.path }, { detail, remedy }));
  return undefined;
}

function valueAt(value: unknown, pointer: string): unknown {
  let part = value;
  for (const key of pointerKeys(pointer)) part = typeof part === "object" && part !== null ? Reflect.get(part, key) : undefined;
  return part;
}

/** A frozen copy with other values at some places. */
function frozen(value: unknown, pointer: string, replacements: ReadonlyMap<string, unknown>): unknown {
  const replacement = replacements.get(pointer);
  if (replacement !== undefined) return replacement;
  if (Array.isArray(value)) return Object.freeze(value.map((item, index) => frozen(item, pointerTo(pointer, index), replacements)));
  if (typeof value !== "object" || value === null) return value;
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([key, part]) => [key, frozen(part, pointerTo(pointer, key), replacements)])),
  );
}
