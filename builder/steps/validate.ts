import type { Problem } from "../../src/errors.ts";
import type { BuildContext } from "../build-context.ts";
import { BuildFailure } from "../events.ts";
import { readPolicies } from "../read-policies.ts";
import { validatePolicies } from "../validation/validate-policies.ts";
import type { Discovered } from "./discover.ts";

/**
 * Everything that can be said about the policies without compiling or running them.
 *
 * @throws a `BuildFailure` with every problem of every policy
 */
export async function validate({ policies: found }: Pick<Discovered, "policies">, context: BuildContext): Promise<void> {
  const { problems } = await readPolicies(found, context.schemas);
  // One by one: that a version comes twice is said where the distribution asks for it.
  const inside = await Promise.all(found.map(({ folder }) => validatePolicies([folder], context.schemas)));
  const all = distinct([...problems, ...inside.flat()]);
  const errors = all.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new BuildFailure(errors);
  for (const { position, message } of all) context.notice(`${position.uri}:${position.line}:${position.column}: ${message}`);
}

/** Both read the manifests. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((each) => [JSON.stringify(each), each])).values()];
}
