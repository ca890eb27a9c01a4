import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BuildContext } from "../build-context.ts";
import type { PolicyFolder } from "../discover.ts";
import { type EngineFacts, sha256 } from "../distribution/lock.ts";
import { BuildFailure } from "../events.ts";
import { proofOf } from "../kept.ts";
import { readPolicies, recallPolicy } from "../read-policies.ts";
import { checkPolicy } from "../validation/policy-problems.ts";
import type { Discovered } from "./discover.ts";

/**
 * Everything that can be said about the policies without compiling or running them. A folder in which nothing was wrong is not looked at again
 * while it and the engine are the same.
 *
 * @returns for people: how much was looked at
 * @throws a `BuildFailure` with every problem of every policy
 */
export async function validate({ policies, engine }: Discovered, context: BuildContext): Promise<string> {
  let unchanged = 0;
  const { problems } = await readPolicies(policies, async (folder) => {
    const proof = proofOf(context.cache, "validations", await contentOf(folder, engine));
    if (proof.isThere) {
      unchanged += 1;
      return recallPolicy(folder, engine, context);
    }
    const checked = await checkPolicy(folder, context.schemas, "basic");
    if (checked.problems.length === 0) await proof.keep();
    return checked;
  });
  if (problems.length > 0) throw new BuildFailure(problems);
  return unchanged === 0 ? "nothing is wrong with them" : `nothing is wrong with them, ${unchanged} are as they were`;
}

async function contentOf({ path, name, version, files }: PolicyFolder, engine: EngineFacts): Promise<unknown> {
  const hashes = files.map(async (file) => [file, sha256(await readFile(join(path, file)))]);
  return { name, version, engine, files: await Promise.all(hashes) };
}
