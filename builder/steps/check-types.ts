import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { type Problem, problem } from "../../src/errors.ts";
import type { BuildContext } from "../build-context.ts";
import { BuildFailure } from "../events.ts";
import { proofOf } from "../kept.ts";
import { originalOf, placeIn, policyName } from "../originals.ts";
import { type CommandResult, runCommand } from "../run-command.ts";
import type { Generated, GeneratedPolicy } from "./generate.ts";

/**
 * Compiles the registry and with it every policy, at the strictest setting. What has compiled once is not compiled again: the same policies,
 * packages, engine and compiler give the same result.
 *
 * @returns for people: how much was compiled
 * @throws a `BuildFailure` with what the compiler says
 */
export async function checkTypes({ folder, policies, lock }: Generated, { cache, output }: BuildContext): Promise<string> {
  const { engine, tools, packages } = lock;
  const hashes = policies.map(({ manifest, hash }) => [manifest, hash]);
  const proof = proofOf(cache, "types", { engine, tools, packages, hashes, compilerOptions });
  if (proof.isThere) return "unchanged since they last compiled";
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(compilerOptions));
  const compiler = join(folder, "engine/node_modules/typescript/bin/tsc");
  const compiled = await runCommand(process.execPath, [compiler, "--project", ".", "--pretty", "false"], { cwd: folder });
  if (compiled.code !== 0) {
    const problems = complaints(compiled.stdout, policies);
    if (problems.length === 0) output("tsc", `${compiled.stdout}${compiled.stderr}`);
    throw new BuildFailure(problems.length > 0 ? problems : [unexplained(compiled, policies)]);
  }
  await proof.keep();
  return `${policies.length} ${policies.length === 1 ? "policy compiles" : "policies compile"}`;
}

const compilerOptions = {
  extends: "./engine/tsconfig.json",
  compilerOptions: { checkJs: false, typeRoots: ["./engine/node_modules/@types"] },
  include: ["generated/registry.ts"],
};

/** `policies/geo/v1.2.3/index.ts(3,5): error TS2345: Argument of type ...`; what is indented belongs to the line before. */
function complaints(said: string, policies: readonly GeneratedPolicy[]): readonly Problem[] {
  const found = [...said.matchAll(/^(\S.*?)\((\d+),(\d+)\): error (TS\d+): (.*(?:\n {2}.*)*)/gm)];
  return found.map(([, path = "", line, column, code = "", text = ""]) => {
    const where = placeIn(path, Number(line), Number(column), policies);
    const policy = originalOf(path, policies)?.policy;
    const name = policy === undefined ? path : policyName(policy);
    const [, specifier] = (code === "TS2307" && /^Cannot find module '([^']+)'/.exec(text)) || [];
    if (specifier !== undefined) return problem("policy-import", where, { policy: name, specifier });
    return problem("policy-types", where, {
      policy: name,
      detail: `${text
        .split("\n")
        .map((part) => part.trim())
        .join(" ")} (${code})`,
    });
  });
}

function unexplained({ code, stdout }: CommandResult, policies: readonly GeneratedPolicy[]): Problem {
  const detail = stdout.trim().split("\n", 1)[0] || `the compiler ended with ${code}`;
  return problem("policy-types", placeIn("generated/registry.ts", 1, 1, policies), { policy: "the registry", detail });
}
