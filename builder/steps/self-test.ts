import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import type { JsonSchema } from "../../src/config/types.ts";
import { type Position, type Problem, problem } from "../../src/errors.ts";
import type { BuildContext } from "../build-context.ts";
import { discoverPolicies } from "../discover.ts";
import { BuildFailure } from "../events.ts";
import { proofOf } from "../kept.ts";
import { originalOf, placeIn, policyName } from "../originals.ts";
import { recallPolicy } from "../read-policies.ts";
import { type CommandResult, runCommand } from "../run-command.ts";
import { type Bundled, engineFile } from "./bundle.ts";
import type { Generated, GeneratedPolicy } from "./generate.ts";

/** How long the whole may take. A policy that hangs is found after 10 s, by its own deadline. */
const timeoutMs = 120_000;

/**
 * Starts the built distribution as a process of its own. It must list exactly the policies of the lock with their hashes, create each with the
 * examples of its manifest, pass every case, close everything and end by itself.
 *
 * A policy that has passed is not tested again as long as it, its cases, its packages, the engine and Node are the same: it cannot reach the
 * others.
 *
 * @returns for people: what was tested
 * @throws a `BuildFailure` that names policy, file and remedy
 */
export async function selfTest(generated: Generated, bundled: Bundled, context: BuildContext): Promise<string> {
  const { cache, output } = context;
  const { folder, policies } = generated;
  const metadata = await knownMetadata(generated, context);
  await writeFile(join(folder, "metadata.json"), JSON.stringify(metadata));
  const proofs = await Promise.all(
    policies.map(async (policy) => ({ policy, proof: proofOf(cache, "self-tests", await behind(policy, metadata, generated)) })),
  );
  const untested = proofs.filter(({ proof }) => !proof.isThere);
  const only =
    untested.length === policies.length
      ? []
      : ["--only", ...(untested.length === 0 ? ["none"] : untested.map(({ policy }) => policyName(policy)))];
  // Without what starts it: of a module that never finishes loading, Node names the line only in the program itself.
  const program = join(bundled.folder, engineFile);
  const args = ["--enable-source-maps", program, "self-test", "--json", "--cases", "policies", "--metadata", "metadata.json", ...only];
  // In the build's folder, so that no file of whoever builds is in reach by chance.
  const ended = await runCommand(process.execPath, args, { cwd: folder, timeoutMs });
  const said = [ended.stderr, ...ended.stdout.split("\n").filter((line) => eventOf(line).length === 0)].join("\n").trim();
  if (said !== "") output("self-test", said);
  const events = ended.stdout.split("\n").flatMap(eventOf);
  const problems = problemsIn(ended, events, generated);
  if (problems.length > 0) throw new BuildFailure(problems);
  for (const { proof } of untested) await proof.keep();
  const passed = events.filter(({ event }) => event === "passed");
  const cases = passed.reduce((sum, event) => sum + (event.cases ?? 0), 0);
  const earlier = policies.length - untested.length;
  return `starts, ${passed.length} tested with ${cases} cases${earlier === 0 ? "" : `, ${earlier} unchanged since they passed`}`;
}

type Metadata = Readonly<Record<string, JsonSchema>>;

/** What the policies, and those that come with the engine, write: somebody else's distribution may have other ones of them. */
async function knownMetadata({ policies, lock }: Generated, context: BuildContext): Promise<Metadata> {
  const folders = await discoverPolicies(context.engineRoot);
  const shipped = await Promise.all(folders.map((folder) => recallPolicy(folder, lock.engine, context)));
  const manifests = [...shipped, ...policies].map(({ manifest }) => manifest);
  return Object.assign({}, ...manifests.map((manifest) => manifest?.metadata.writes));
}

/** What the result of testing a policy follows from. */
async function behind({ manifest, hash, original }: GeneratedPolicy, metadata: Metadata, { lock, addon }: Generated): Promise<unknown> {
  const cases = await readFile(join(original.path, "cases.yaml"), "utf8").catch(() => "");
  const { engine, tools, packages } = lock;
  return { manifest, hash, cases, metadata, engine, tools, packages, addon: addon?.hash, node: process.version };
}

function problemsIn(ended: CommandResult, events: readonly Event[], { lock, policies }: Generated): readonly Problem[] {
  if (events.length === 0) return [startProblem(ended, policies)];
  const problems = [...listProblems(events, lock.policies, policies), ...events.flatMap((event) => eventProblem(event, policies))];
  if (problems.length > 0) return distinct(problems);
  if (ended.code === 0) return [];
  return [endProblem(ended, events.findLast(({ event }) => event === "testing")?.policy ?? "", policies)];
}

interface Event {
  readonly event: string;
  readonly policy: string;
  readonly hash?: string;
  readonly what?: string;
  readonly detail?: string;
  readonly position?: Position;
  readonly bound?: boolean;
  readonly cases?: number;
}

function eventOf(line: string): readonly Event[] {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "event" in value && "policy" in value ? [value as Event] : [];
  } catch {
    // A policy that writes to the console.
    return [];
  }
}

function eventProblem({ event, policy, what, detail = "", position }: Event, policies: readonly GeneratedPolicy[]): readonly Problem[] {
  if (event === "uncaught") return [failure(policy, `nobody caught ${firstLine(detail)}`, remedies.uncaught, policies, detail)];
  if (event !== "failed") return [];
  if (what === "create" || position === undefined) return [failure(policy, detail, remedies.create, policies)];
  const where = placeIn(position.uri, position.line, position.column, policies);
  return [problem("self-test-failed", where, { policy, detail, remedy: remedies.case })];
}

const remedies = {
  start: "a policy's module must do nothing but export its definition: move what it does into `create`",
  create: "`create` must work with the examples of the manifest, without network: correct it or them",
  case: "run the case with `policy-engine test`, and correct the policy or the case",
  uncaught: "await every promise, or catch what it rejects with",
  hangs: "it waits for something that never comes: `create` and handlers must come to an end, without network",
  list: "report it with the output of `--verbose`: this is a fault of the builder",
} as const;

/** The program ended before its first command: a module failed while it was loaded. */
function startProblem({ code, stderr }: CommandResult, policies: readonly GeneratedPolicy[]): Problem {
  const guilty = frameIn(stderr, policies);
  const name = guilty === undefined ? "the distribution" : policyName(guilty.policy);
  if (code === unsettledCode) return failure(name, "it never finishes loading", remedies.start, policies, stderr);
  const thrown = stderr.split("\n").find((line) => /^(?:Uncaught )?\S*(?:Error|Exception)\b/.test(line)) ?? firstLine(stderr);
  return failure(name, `it does not start: ${thrown.replace(/^Uncaught /, "")}`, remedies.start, policies, stderr);
}

/** The program ended, or was ended, in the middle of testing a policy. */
function endProblem({ code, stderr }: CommandResult, policy: string, policies: readonly GeneratedPolicy[]): Problem {
  if (code === unsettledCode) return failure(policy, "a promise of it is never settled", remedies.hangs, policies);
  if (code === null) return failure(policy, `it has not ended after ${timeoutMs / 1000} s`, remedies.hangs, policies);
  return failure(policy, `the process ended with ${code}: ${firstLine(stderr)}`, remedies.create, policies, stderr);
}

/** What Node ends with when nothing is left that could settle a promise which somebody awaits. */
const unsettledCode = 13;

function listProblems(
  events: readonly Event[],
  locked: Generated["lock"]["policies"],
  policies: readonly GeneratedPolicy[],
): readonly Problem[] {
  const found = new Map(events.filter(({ event }) => event === "listed").map(({ policy, hash }) => [policy, hash]));
  return [...new Set([...found.keys(), ...Object.keys(locked)])]
    .filter((name) => found.get(name) !== locked[name]?.hash)
    .map((name) => {
      const detail = `it is listed with the hash ${found.get(name) ?? "of nothing"}, locked with ${locked[name]?.hash ?? "nothing"}`;
      return failure(name, detail, remedies.list, policies);
    });
}

/** At the first place in a stack that is a policy's; else at the file that defines the policy. */
function failure(name: string, detail: string, remedy: string, policies: readonly GeneratedPolicy[], stack = ""): Problem {
  const policy = policies.find((each) => policyName(each) === name);
  const frame = frameIn(stack, policies);
  const where = frame === undefined ? placeIn(`${policy?.folder ?? "generated"}/index.ts`, 1, 1, policies) : frame.where;
  return problem("self-test-failed", where, { policy: name, detail, remedy });
}

function frameIn(stack: string, policies: readonly GeneratedPolicy[]) {
  for (const [, path = "", line, column] of stack.matchAll(/(policies\/[^/\s]+\/v[^/\s]+\/[^:\s]+):(\d+)(?::(\d+))?/g)) {
    const original = originalOf(path, policies);
    if (original !== undefined) return { policy: original.policy, where: placeIn(path, Number(line), Number(column ?? 1), policies) };
  }
  return undefined;
}

/** What goes wrong each time a policy is created is said once. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((each) => [JSON.stringify(each), each])).values()];
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] ?? "";
}
