/** What exchanges to be explained look like: text -> requests, or every problem. The keys are those of a case. */
import { itemPlace, type Place, plainValue, rootPlace } from "../config/node.ts";
import { parseYaml } from "../config/parse.ts";
import { sortProblems } from "../config/problems.ts";
import type { SchemaEngine, SchemaViolation } from "../config/schema-engine.ts";
import type { SourceDocument } from "../config/types.ts";
import type { Problem } from "../errors.ts";
import type { MockedCall } from "../testing/case-format.ts";
import { caseProblems } from "../testing/case-problems.ts";
import { explainRequestSchema } from "../testing/case-schema.ts";
import type { TestRequest, TestResponse } from "../testing/test-engine.ts";

export interface ExplainRequest {
  /** What to call it, where there are several. */
  readonly name?: string;
  /** Envoy's route name. */
  readonly route: string;
  /** Where the clock stands still, RFC 3339. Default: the present. */
  readonly now?: string;
  /** What `context.random()` gives, in turn. Default: 0.5. */
  readonly random?: readonly number[];
  /** Outgoing calls and their answers. Default: every call fails. */
  readonly calls?: readonly MockedCall[];
  /** Default: `GET /`. */
  readonly request?: Omit<TestRequest, "route">;
  /** What the upstream answers. Default: an empty 200. */
  readonly response?: TestResponse;
}

/** The same as it is written: the route may be said elsewhere. */
export type WrittenRequest = Partial<ExplainRequest>;

/** What a request file holds. `several`: it is a list, be it of one. */
export interface RequestFile {
  readonly requests: readonly WrittenRequest[];
  readonly several: boolean;
}

interface Refused {
  readonly problems: readonly Problem[];
}

/** Reads one exchange, YAML or JSON. Never throws because of the text. */
export function parseRequest(document: SourceDocument, schemas: SchemaEngine): { readonly request: WrittenRequest } | Refused {
  const { root, problems } = parseYaml(document);
  if (root === undefined || problems.length > 0) return { problems };
  return readRequest(rootPlace(root), schemas);
}

/** Reads one exchange or a list of them, YAML or JSON. Never throws because of the text. */
export function parseRequestFile(document: SourceDocument, schemas: SchemaEngine): RequestFile | Refused {
  const { root, problems } = parseYaml(document);
  if (root === undefined || problems.length > 0) return { problems };
  const place = rootPlace(root);
  const places = root.kind === "list" ? root.items.map((item, index) => itemPlace(place, index, item)) : [place];
  const read = places.map((one) => readRequest(one, schemas));
  const refused = read.flatMap((one) => ("problems" in one ? one.problems : []));
  if (refused.length > 0) return { problems: sortProblems(refused) };
  return { requests: read.flatMap((one) => ("request" in one ? [one.request] : [])), several: root.kind === "list" };
}

function readRequest(place: Place, schemas: SchemaEngine): { readonly request: WrittenRequest } | Refused {
  const value: unknown = plainValue(place.node);
  const { violations } = schemas.validator(explainRequestSchema)(value);
  return fits(value, violations) ? { request: value } : { problems: sortProblems(caseProblems(violations, place)) };
}

/** The schema says what the type says. */
function fits(value: unknown, violations: readonly SchemaViolation[]): value is WrittenRequest {
  return violations.length === 0;
}
