/**
 * JSON Schema 2020-12 with our keywords, strict, and with RE2 for every `pattern`. The only file that knows the validator library.
 */
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import type { PatternEngine } from "../expressions/patterns.ts";
import type { JsonSchema } from "./types.ts";

export interface SchemaEngine {
  readonly patterns: PatternEngine;
  /** A validator for a schema; made once per schema object. Throws an `Error` that says what is wrong with the schema. */
  validator(schema: JsonSchema): Validator;
  /** What the meta-schema says against a schema; empty when it is one. */
  metaErrors(schema: JsonSchema): readonly SchemaViolation[];
}

/** Completes the value with the schema's defaults, in place, and says what is wrong with it: everything, not only the first. */
export type Validator = (value: unknown) => Validation;

export interface Validation {
  readonly violations: readonly SchemaViolation[];
  /** Where the schema's `x-expression` and `x-regex` apply, also when something else is wrong. */
  readonly marked: readonly MarkedText[];
  /** JSON Pointers to the texts that `x-secret` marks, also below branches that did not hold. */
  readonly secrets: ReadonlyMap<string, SecretMark>;
}

export type SchemaViolation = ErrorObject;

export interface MarkedText {
  /** JSON Pointer into the value. */
  readonly pointer: string;
  readonly mark: Mark;
}

/** An expression with its result type, or a regular expression. */
export type Mark = "bool" | "string" | "regex";

/** `true`: only for a few eyes, and never in clear text in a configuration. `digest`: only for a few eyes, but cannot be turned back. */
export type SecretMark = true | "digest";

/** One for a process: what is compiled stays, so that a reload of the configuration does not compile it again. */
export function createSchemaEngine(patterns: PatternEngine): SchemaEngine {
  // Filled by the keywords while a value is validated, which is synchronous.
  let marked: MarkedText[] = [];
  let secrets = new Map<string, SecretMark>();
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: true,
    strictTuples: true,
    // A property that only a branch of `oneOf` requires is listed outside of it.
    strictRequired: false,
    allErrors: true,
    verbose: true,
    useDefaults: true,
    ownProperties: true,
    discriminator: true,
    logger: false,
    code: { regExp: regExpEngine(patterns) },
  });
  const collect = (mark: Mark, pointer: string | undefined): true => {
    marked.push({ pointer: pointer ?? "", mark });
    return true;
  };
  ajv.addKeyword({
    keyword: "x-expression",
    type: "string",
    schemaType: "string",
    metaSchema: { enum: ["bool", "string"] },
    errors: false,
    validate: (result: Mark, _value: string, _schema: unknown, context?: { instancePath: string }) =>
      collect(result, context?.instancePath),
  });
  ajv.addKeyword({
    keyword: "x-regex",
    type: "string",
    schemaType: "boolean",
    metaSchema: { const: true },
    errors: false,
    validate: (_on: true, _value: string, _schema: unknown, context?: { instancePath: string }) => collect("regex", context?.instancePath),
  });
  ajv.addKeyword({
    keyword: "x-secret",
    type: "string",
    schemaType: ["boolean", "string"],
    metaSchema: { enum: [true, "digest"] },
    errors: false,
    validate: (mark: SecretMark, _value: string, _schema: unknown, context?: { instancePath: string }) => {
      secrets.set(context?.instancePath ?? "", mark);
      return true;
    },
  });

  return {
    patterns,
    validator: (schema) => {
      const validate = ajv.compile(schema);
      return (value) => {
        marked = [];
        secrets = new Map();
        validate(value);
        return { violations: validate.errors ?? [], marked, secrets };
      };
    },
    metaErrors: (schema) => (ajv.validateSchema(schema) === true ? [] : (ajv.errors ?? [])),
  };
}

/** Makes the validator use RE2. It keeps compiled patterns under their text, so that two patterns must not print alike. */
function regExpEngine(patterns: PatternEngine): {
  (source: string): { test: (text: string) => boolean; toString: () => string };
  code: string;
} {
  const compile = (source: string): { test: (text: string) => boolean; toString: () => string } => {
    const compiled = patterns.compile(source);
    if ("problem" in compiled) throw new Error(`invalid pattern \`${source}\`: ${compiled.problem.message}`);
    return { test: (text) => compiled.pattern.test(text), toString: () => `/${source}/` };
  };
  return Object.assign(compile, { code: "re2" });
}
