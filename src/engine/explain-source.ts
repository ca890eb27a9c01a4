/** What stands behind `POST /explain`: the configuration in use, run beside itself. */
import type { ExplainResult, ExplainSource } from "../admin/explain.ts";
import type { SchemaEngine } from "../config/schema-engine.ts";
import type { Problem } from "../errors.ts";
import { type ExplainHost, explainExchange } from "../explain/explain-exchange.ts";
import { parseRequest } from "../explain/request-file.ts";
import type { GenerationHolder } from "../generations/holder.ts";
import { problemFacts } from "./configuration-log.ts";

export interface ExplainParts extends ExplainHost {
  readonly generations: GenerationHolder;
  readonly schemas: SchemaEngine;
}

/** One at a time: instances of the chain's policies are made for each, and traffic goes first. */
export function createExplainSource(parts: ExplainParts): ExplainSource {
  let busy = false;
  return async (text) => {
    if (busy) return { kind: "busy", body: { error: "another exchange is being explained: ask again" } };
    busy = true;
    try {
      return await explain(text, parts);
    } finally {
      busy = false;
    }
  };
}

async function explain(text: string, parts: ExplainParts): Promise<ExplainResult> {
  const fault = bodyFault(text);
  if (fault !== undefined) return { kind: "refused", body: { error: fault } };
  const parsed = parseRequest({ uri: "body", text }, parts.schemas);
  if ("problems" in parsed) return refused(parsed.problems);
  const { route } = parsed.request;
  if (route === undefined) return { kind: "refused", body: { error: "the body must name a `route`, as Envoy calls it" } };
  const generation = parts.generations.current();
  if (generation === undefined) {
    return { kind: "not-ready", body: { error: "there is no valid configuration yet: `/readyz` says why" } };
  }
  const explained = await explainExchange(generation.config, { ...parsed.request, route }, parts);
  if ("problems" in explained) return refused(explained.problems);
  const { explanation, ...rest } = explained;
  // Beside itself every configuration is the first one.
  return { kind: "explained", body: { explanation: { ...explanation, generation: generation.number }, ...rest } };
}

/** Reading YAML, which knows where everything stands, takes about 50 us for each value, and exchanges wait meanwhile. */
const valuesMax = 5_000;

function bodyFault(text: string): string | undefined {
  const values: unknown[] = [];
  try {
    values.push(JSON.parse(text));
  } catch {
    return "the body is no JSON";
  }
  // Not recursive: it may be as deep as it is long. What is pushed meanwhile has its turn too.
  for (const value of values) {
    if (typeof value === "object" && value !== null) for (const one of Object.values(value)) values.push(one);
    if (values.length > valuesMax) return `the body has more than ${valuesMax} values`;
  }
  return undefined;
}

const refused = (problems: readonly Problem[]): ExplainResult => ({ kind: "refused", body: { problems: problems.map(problemFacts) } });
