import { checkConfig } from "../config/check.ts";
import { sortProblems } from "../config/problems.ts";
import type { CheckEnvironment, SourceDocument } from "../config/types.ts";
import type { Problem } from "../errors.ts";
import { bind } from "../worker/bind.ts";
import type { InstancePool } from "../worker/instances.ts";
import { checkBound } from "./check-bound.ts";
import type { Prepared } from "./generation.ts";

export interface PrepareEnvironment extends CheckEnvironment {
  readonly instances: InstancePool;
  /** Removes secret values from a text that a policy has written. */
  readonly redact: (text: string) => string;
}

export type PrepareResult = { readonly prepared: Prepared } | { readonly problems: readonly Problem[] };

/**
 * Everything that can fail about a configuration happens here, beside the running generation: parse, check, bind. Returns what can be
 * committed by one assignment, or every problem found; it never throws because of the configuration.
 */
export async function prepare(documents: readonly SourceDocument[], environment: PrepareEnvironment): Promise<PrepareResult> {
  const checked = checkConfig(documents, environment);
  if ("problems" in checked) return checked;
  const bound = await bind(checked.config, environment);
  if ("problems" in bound) return { problems: sortProblems([...bound.problems, ...checked.config.warnings]) };
  const { chains, release } = bound;
  const warnings = sortProblems([...checked.config.warnings, ...checkBound(checked.config, chains)]);
  return { prepared: { config: Object.freeze({ ...checked.config, warnings }), chains, release } };
}
