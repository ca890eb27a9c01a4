import type { BuildContext } from "../build-context.ts";
import { BuildFailure } from "../events.ts";
import { checkPolicies, type ReadPolicy } from "../read-policies.ts";
import type { Discovered } from "./discover.ts";

/**
 * Everything that can be said about the policies without compiling or running them.
 *
 * @throws a `BuildFailure` with every problem of every policy
 */
export async function validate(discovered: Pick<Discovered, "policies">, { schemas }: BuildContext): Promise<readonly ReadPolicy[]> {
  const { policies, problems } = await checkPolicies(discovered.policies, schemas);
  if (problems.length > 0) throw new BuildFailure(problems);
  return policies;
}
