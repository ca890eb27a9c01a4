/** What an exchange to be explained looks like: text -> request, or every problem. The keys are those of a case. */
import { plainValue, rootPlace } from "../config/node.ts";
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

/** Reads YAML or JSON. Never throws because of the text. */
export function parseRequest(
  document: SourceDocument,
  schemas: SchemaEngine,
): { readonly request: WrittenRequest } | { readonly problems: readonly Problem[] } {
  const { root, problems } = parseYaml(document);
  if (root === undefined || problems.length > 0) return { problems };
  const value: unknown = plainValue(root);
  const { violations } = schemas.validator(explainRequestSchema)(value);
  return fits(value, violations) ? { request: value } : { problems: sortProblems(caseProblems(violations, rootPlace(root))) };
}

/** The schema says what the type says. */
function fits(value: unknown, violations: readonly SchemaViolation[]): value is WrittenRequest {
  return violations.length === 0;
}
