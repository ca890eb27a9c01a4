import { plainValue, rootPlace } from "../config/node.ts";
import { placeAt } from "../config/parameter-problems.ts";
import { parseYaml } from "../config/parse.ts";
import { formatProblems } from "../config/problems.ts";
import { createSchemaEngine } from "../config/schema-engine.ts";
import type { SourceDocument } from "../config/types.ts";
import { loadPatternEngine } from "../expressions/patterns.ts";
import type { TestHeaders, TestRequest, TestResponse } from "./test-engine.ts";

export interface TestCase {
  readonly name: string;
  /** The step's parameters. Default: none. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Where the clock stands still, RFC 3339. Default: 2026-01-01T00:00:00Z. */
  readonly now?: string;
  /** Shared metadata, as if an earlier step had written it. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly request?: Omit<TestRequest, "route">;
  /** What the upstream would answer. */
  readonly response?: TestResponse;
  /** Only what is named is compared. */
  readonly expect: {
    /** The request as the upstream gets it; an empty list of values means that the header is absent. */
    readonly request?: Omit<TestRequest, "route">;
    /** The response as the client gets it. */
    readonly response?: TestResponse;
    /** The policy answers in place of the upstream. Without this it must not. */
    readonly reply?: { readonly status?: number; readonly code?: string; readonly headers?: TestHeaders; readonly body?: string };
    readonly metadata?: Readonly<Record<string, unknown>>;
    /** The step fails with this code. */
    readonly failure?: string;
    /** The parameters are refused; a part of the problems' text. */
    readonly refused?: string;
  };
}

const headers = {
  type: "object",
  propertyNames: { minLength: 1 },
  additionalProperties: { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] },
};
const open = { type: "object", additionalProperties: true };
const text = { type: "string" };
/** A body as it is sent: in one piece, or in the chunks of a list. */
const chunks = { anyOf: [text, { type: "array", minItems: 1, items: text }] };

const request = {
  type: "object",
  additionalProperties: false,
  properties: {
    method: text,
    path: text,
    host: text,
    headers,
    body: chunks,
    trailers: headers,
    source: {
      type: "object",
      additionalProperties: false,
      required: ["address", "port"],
      properties: { address: text, port: { type: "integer" } },
    },
  },
};
const response = {
  type: "object",
  additionalProperties: false,
  properties: { status: { type: "integer" }, headers, body: chunks, trailers: headers },
};

const schema = {
  type: "object",
  additionalProperties: false,
  required: ["cases"],
  properties: {
    cases: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        additionalProperties: false,
        required: ["name", "expect"],
        properties: {
          name: text,
          parameters: open,
          now: { type: "string", pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z$" },
          metadata: open,
          request,
          response,
          expect: {
            type: "object",
            additionalProperties: false,
            minProperties: 1,
            properties: {
              request,
              response,
              reply: {
                type: "object",
                additionalProperties: false,
                properties: { status: { type: "integer" }, code: text, headers, body: text },
              },
              metadata: open,
              failure: text,
              refused: text,
            },
          },
        },
      },
    },
  },
};

/** Reads a case file. Throws an `Error` that lists everything that is wrong with it, with positions. */
export function readCases(document: SourceDocument): readonly TestCase[] {
  const { root, problems } = parseYaml(document);
  if (root === undefined || problems.length > 0) throw new Error(formatProblems(problems));
  const value: unknown = plainValue(root);
  const { violations } = createSchemaEngine(loadPatternEngine().engine).validator(schema)(value);
  const lines = violations.map(({ instancePath, message, params }) => {
    const { path, keyPosition } = placeAt(rootPlace(root), instancePath);
    const { uri, line, column } = keyPosition;
    return `${uri}:${line}:${column}: ${path} ${message ?? "is wrong"}${"additionalProperty" in params ? `: \`${params.additionalProperty}\`` : ""}`;
  });
  if (lines.length > 0) throw new Error(lines.join("\n"));
  const { cases } = value as { readonly cases: readonly TestCase[] };
  const names = cases.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`${document.uri}: two cases are called \`${twice}\``);
  return cases;
}
