/**
 * Case files: text -> cases with positions, or every problem in one run. A key that does not exist is an error, so that an expectation with a
 * typing error cannot pass.
 */
import { itemPlace, type Place, plainValue, rootPlace } from "../config/node.ts";
import { placeAt } from "../config/parameter-problems.ts";
import { parseYaml } from "../config/parse.ts";
import { sortProblems } from "../config/problems.ts";
import { at } from "../config/read.ts";
import type { SchemaEngine, SchemaViolation } from "../config/schema-engine.ts";
import type { SourceDocument } from "../config/types.ts";
import { type Problem, problem } from "../errors.ts";
import { caseProblems } from "./case-problems.ts";
import { configCasesSchema, policyCasesSchema } from "./case-schema.ts";
import type { TestHeaders, TestRequest, TestResponse } from "./test-engine.ts";

/** What a case file says. The file of a policy stands beside its manifest; any other one names a configuration. */
export interface CaseFile {
  readonly uri: string;
  /** Configuration files as they are written, relative to the case file; undefined in a policy's file. */
  readonly config: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Texts by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly cases: readonly TestCase[];
}

export interface TestCase {
  readonly name: string;
  /** Where the case stands in its file. */
  readonly place: Place;
  /** Of a configuration's case: Envoy's route name. */
  readonly route: string | undefined;
  /** Of a policy's case: the step's parameters. Default: none. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Where the clock stands still, RFC 3339. Default: 2026-01-01T00:00:00Z. */
  readonly now: string | undefined;
  /** What `context.random()` gives, in turn; the last one again and again. Default: 0.5. */
  readonly random: readonly number[];
  /** Of a policy's case: shared metadata, as if an earlier step had written it. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly calls: readonly MockedCall[];
  readonly request: Omit<TestRequest, "route">;
  /** What the upstream would answer. */
  readonly response: TestResponse;
  /** Undefined until somebody, or `policy-engine test --update`, has written it. */
  readonly expect: Expectation | undefined;
}

/** An outgoing call and its answer. */
export interface MockedCall {
  readonly key: string;
  readonly url: string;
  /** Only for calls with this method. Default: any. */
  readonly method?: string;
  /** Default: an empty 200. */
  readonly response?: Omit<TestResponse, "body" | "trailers"> & Whole;
  /** The call fails with this message. */
  readonly error?: string;
}

/** A body that has arrived, however it was cut. */
interface Whole {
  readonly body?: string;
}

/** Only what is named is compared. */
export interface Expectation {
  /** The request as the upstream gets it; an empty list of values means that the header is absent. */
  readonly request?: Omit<TestRequest, "route" | "source" | "body"> & Whole;
  /** The response as the client gets it. */
  readonly response?: Omit<TestResponse, "body"> & Whole;
  /** Somebody answers in place of the upstream. Without this nobody may. */
  readonly reply?: { readonly status?: number; readonly code?: string; readonly headers?: TestHeaders; readonly body?: string };
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** A step fails with this code. */
  readonly failure?: string;
  /** The parameters or the configuration are refused; a part of the problems' text. */
  readonly refused?: string;
}

export type ParsedCases = { readonly file: CaseFile } | { readonly problems: readonly Problem[] };

/** Reads a case file. Never throws because of the text. */
export function parseCases(document: SourceDocument, schemas: SchemaEngine): ParsedCases {
  const { root, problems } = parseYaml(document);
  if (root === undefined || problems.length > 0) return { problems };
  const place = rootPlace(root);
  const value: unknown = plainValue(root);
  const schema = root.kind === "map" && root.entries.has("config") ? configCasesSchema : policyCasesSchema;
  const { violations } = schemas.validator(schema)(value);
  if (!fits(value, violations)) return { problems: sortProblems(caseProblems(violations, place)) };
  const list = placeAt(place, "/cases");
  const places = list.node.kind === "list" ? list.node.items.map((item, index) => itemPlace(list, index, item)) : [];
  const cases = value.cases.flatMap((one, index) => {
    const casePlace = places[index];
    return casePlace === undefined ? [] : [{ ...caseDefaults, ...one, place: casePlace }];
  });
  const repeated = repeatedNames(cases);
  if (repeated.length > 0) return { problems: repeated };
  return { file: { uri: document.uri, config: value.config, environment: value.environment ?? {}, files: value.files ?? {}, cases } };
}

/** The schema says what the type says. */
function fits(value: unknown, violations: readonly SchemaViolation[]): value is WrittenFile {
  return violations.length === 0;
}

interface WrittenFile {
  readonly config?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly cases: readonly (Partial<TestCase> & Pick<TestCase, "name">)[];
}

const caseDefaults = {
  route: undefined,
  parameters: {},
  now: undefined,
  random: [0.5],
  metadata: {},
  calls: [],
  request: {},
  response: {},
  expect: undefined,
} as const satisfies Partial<TestCase>;

function repeatedNames(cases: readonly TestCase[]): readonly Problem[] {
  const first = new Map<string, Place>();
  return cases.flatMap(({ name, place }) => {
    const other = first.get(name);
    first.set(name, other ?? place);
    if (other === undefined) return [];
    return [problem("case-duplicate", { ...at(place), related: [{ message: "first here", position: other.node.position }] }, { name })];
  });
}
