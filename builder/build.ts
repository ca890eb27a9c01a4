/** Builds a distribution: named steps in their order, each with its time and result. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSchemaEngine } from "../src/config/schema-engine.ts";
import { loadPatternEngine } from "../src/expressions/patterns.ts";
import type { BuildContext, LockMode } from "./build-context.ts";
import { lockHash, lockText } from "./distribution/lock.ts";
import { type BuildEvent, BuildFailure, type StepName } from "./events.ts";
import { makeImage } from "./make-image.ts";
import { createNpm } from "./npm.ts";
import { type ReadPolicy, readPolicies } from "./read-policies.ts";
import { bundle } from "./steps/bundle.ts";
import { checkTypes } from "./steps/check-types.ts";
import { type Discovered, discover, lockPath } from "./steps/discover.ts";
import { type Generated, generate } from "./steps/generate.ts";
import { demandFreeOutput, packageDistribution } from "./steps/package.ts";
import { selfTest } from "./steps/self-test.ts";
import { validate } from "./steps/validate.ts";

export interface BuildRequest {
  /** `distribution.yaml`, as the user wrote it. */
  readonly manifest: string;
  /** The folder for the distribution. */
  readonly out: string;
  /** What a container image of it is called. Default: none is made. */
  readonly image?: string;
  readonly lock: LockMode;
  /** The steps to run. What a step needs must be among them: `stepsFor` adds it. */
  readonly steps: ReadonlySet<StepName>;
}

export interface BuildEnvironment {
  /** The checkout whose engine goes into the distribution. */
  readonly engineRoot: string;
  /** For what need not be fetched or proven again. */
  readonly cache: string;
  readonly monotonicMs: () => number;
  readonly report: (event: BuildEvent) => void;
}

/** Steps that others stand on: they cannot be left out while one of those runs. */
const needs: Readonly<Record<StepName, readonly StepName[]>> = {
  discover: [],
  validate: ["discover"],
  generate: ["discover"],
  types: ["discover", "generate"],
  bundle: ["discover", "generate"],
  "self-test": ["discover", "generate", "bundle"],
  package: ["discover", "generate", "bundle"],
};

/** These steps and those that they cannot do without. */
export function stepsFor(wanted: readonly StepName[]): ReadonlySet<StepName> {
  return new Set(wanted.flatMap((step) => [...needs[step], step]));
}

/**
 * Runs the steps. The lock file is written when all of them have succeeded; the checkout is only read.
 *
 * @returns whether it succeeded; what is wrong was reported as an event
 */
export async function build(request: BuildRequest, environment: BuildEnvironment): Promise<boolean> {
  const scratch = await mkdtemp(join(tmpdir(), "policy-engine-build-"));
  let current: StepName = "discover";
  const { report, monotonicMs, engineRoot, cache } = environment;
  const context: BuildContext = {
    engineRoot,
    cache,
    scratch,
    schemas: createSchemaEngine(loadPatternEngine().engine),
    npm: createNpm((text) => report({ event: "output", step: current, tool: "npm", text })),
    notice: (text) => report({ event: "notice", step: current, text }),
    output: (tool, text) => report({ event: "output", step: current, tool, text }),
  };
  const step = async <Result>(name: StepName, work: () => Promise<Result>, detail: (result: Result) => string): Promise<Result> => {
    current = name;
    report({ event: "started", step: name });
    const startedMs = monotonicMs();
    const ms = (): number => Math.round(monotonicMs() - startedMs);
    try {
      const result = await work();
      report({ event: "finished", step: name, exitCode: 0, ms: ms(), detail: detail(result) });
      return result;
    } catch (error) {
      if (error instanceof BuildFailure) report({ event: "failed", step: name, exitCode: 1, ms: ms(), problems: error.problems });
      throw error;
    }
  };
  try {
    await runSteps(request, context, { step, skipped: (name) => report({ event: "skipped", step: name }) });
    return true;
  } catch (error) {
    if (error instanceof BuildFailure) return false;
    throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Runner {
  readonly step: <Result>(name: StepName, work: () => Promise<Result>, detail: (result: Result) => string) => Promise<Result>;
  readonly skipped: (name: StepName) => void;
}

async function runSteps(request: BuildRequest, context: BuildContext, { step, skipped }: Runner): Promise<void> {
  const { manifest, lock: mode, steps } = request;
  const optional = <Result>(
    name: StepName,
    work: () => Promise<Result>,
    detail: (result: Result) => string,
  ): Promise<Result> | undefined => (steps.has(name) ? step(name, work, detail) : void skipped(name));

  const begin = async (): Promise<Discovered> => {
    // Before minutes of work are found to be for nothing.
    if (steps.has("package")) await demandFreeOutput(request.out);
    return discover(manifest, mode, context);
  };
  const discovered = await step("discover", begin, foundText);
  const policies =
    (await optional(
      "validate",
      () => validate(discovered, context),
      ({ length }) => `${counted(length)} in order`,
    )) ?? (await readForGeneration(discovered.policies, context));
  const lockFile = lockPath(manifest);
  const generated = await optional("generate", () => generate(discovered, policies, { mode, lockFile }, context), generatedText);
  if (generated === undefined) return;
  await optional("types", () => checkTypes(generated, context), String);
  const bundled = await optional(
    "bundle",
    () => bundle(generated, context),
    ({ bytes }) => `${megabytes(bytes)} in one module`,
  );
  if (bundled !== undefined) {
    await optional("self-test", () => selfTest(generated, bundled, context), String);
    const pack = async (): Promise<string> => {
      const folder = await packageDistribution(generated, bundled, request.out, context);
      return request.image === undefined ? folder : `${folder}; ${await makeImage(request.image, request.out, generated, context)}`;
    };
    await optional("package", pack, String);
  }
  await keepLock(generated, lockFile, mode, context);
}

async function readForGeneration(found: Discovered["policies"], { schemas }: BuildContext): Promise<readonly ReadPolicy[]> {
  const { policies, problems } = await readPolicies(found, schemas);
  if (problems.length > 0) throw new BuildFailure(problems);
  return policies;
}

async function keepLock({ lock, changes, locked }: Generated, file: string, mode: LockMode, { notice }: BuildContext): Promise<void> {
  const text = lockText(lock);
  if (mode === "enforce" || (locked !== undefined && text === lockText(locked))) return;
  await writeFile(file, text);
  for (const { what, locked: before, found } of changes) notice(`${what}: ${before} -> ${found}`);
  notice(`${file} is ${locked === undefined ? "new" : "renewed"}: commit it`);
}

const foundText = ({ policies, lock }: Discovered): string => `${counted(policies.length)}${lock === undefined ? ", no lock yet" : ""}`;

const generatedText = ({ lock }: Generated): string => {
  const packages = Object.keys(lock.packages).filter((path) => path.includes("node_modules/")).length;
  return `lock ${lockHash(lock).slice(0, 12)}${packages === 0 ? "" : `, ${packages} packages`}`;
};

const counted = (policies: number): string => `${policies} ${policies === 1 ? "policy" : "policies"}`;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
