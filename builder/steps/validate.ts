import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Problem } from "../../src/errors.ts";
import type { BuildContext } from "../build-context.ts";
import type { PolicyFolder } from "../discover.ts";
import { type EngineFacts, sha256 } from "../distribution/lock.ts";
import { BuildFailure } from "../events.ts";
import { proofOf } from "../kept.ts";
import { readPolicies } from "../read-policies.ts";
import { validatePolicies } from "../validation/validate-policies.ts";
import type { Discovered } from "./discover.ts";

/**
 * Everything that can be said about the policies without compiling or running them. A folder in which nothing was wrong is not looked at again
 * while it and the engine are the same.
 *
 * @returns for people: how much was looked at
 * @throws a `BuildFailure` with every problem of every policy
 */
export async function validate({ policies: found, engine }: Discovered, context: BuildContext): Promise<string> {
  const { problems } = await readPolicies(found, engine, context);
  const proofs = await Promise.all(
    found.map(async ({ folder }) => ({ folder, proof: proofOf(context.cache, "validations", await contentOf(folder, engine)) })),
  );
  const unproven = proofs.filter(({ proof }) => !proof.isThere);
  const inside = await Promise.all(
    unproven.map(async ({ folder, proof }) => {
      // One by one: that a version comes twice is said where the distribution asks for it.
      const own = await validatePolicies([folder], context.schemas);
      if (own.length === 0) await proof.keep();
      return own;
    }),
  );
  const all = distinct([...problems, ...inside.flat()]);
  const errors = all.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new BuildFailure(errors);
  for (const { position, message } of all) context.notice(`${position.uri}:${position.line}:${position.column}: ${message}`);
  const earlier = found.length - unproven.length;
  return earlier === 0 ? "nothing is wrong with them" : `nothing is wrong with them, ${earlier} are as they were`;
}

async function contentOf({ path, name, version, files }: PolicyFolder, engine: EngineFacts): Promise<unknown> {
  const hashes = files.map(async (file) => [file, sha256(await readFile(join(path, file)))]);
  return { name, version, engine, files: await Promise.all(hashes) };
}

/** Both read the manifests. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((each) => [JSON.stringify(each), each])).values()];
}
