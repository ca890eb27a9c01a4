/** Builds a distribution: named steps in their order, each with its time and result. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildContext, LockMode } from "./build-context.ts";
import { lockHash, lockText } from "./distribution/lock.ts";
import { BuildFailure, type StepName } from "./events.ts";
import { makeImage } from "./make-image.ts";
import { createStepRunner, type RunnerOptions, type StepRunner, type Work } from "./step-runner.ts";
import { type Bundled, bundle } from "./steps/bundle.ts";
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

export type BuildEnvironment = Omit<RunnerOptions, "scratch">;

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
  const runner = createStepRunner({ ...environment, scratch });
  try {
    await runSteps(request, runner, environment.report);
    return true;
  } catch (error) {
    if (error instanceof BuildFailure) return false;
    throw error;
  } finally {
    await runner.settled();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runSteps(request: BuildRequest, { begin, skip }: StepRunner, report: RunnerOptions["report"]): Promise<void> {
  const { manifest, lock, steps } = request;
  const beginIfWanted = <Result>(
    name: StepName,
    work: Work<Result>,
    detail: (result: Result) => string,
  ): (() => Promise<Result | undefined>) => (steps.has(name) ? begin(name, work, detail) : async () => void skip(name));

  const discovered = await begin("discover", (context) => discoverFor(request, context), foundText)();
  await beginIfWanted("validate", (context) => validate(discovered, context), String)();
  const generating: Work<Generated> = (context) => generate(discovered, { mode: lock, lockFile: lockPath(manifest) }, context);
  const generated = await beginIfWanted("generate", generating, generatedText)();
  if (generated === undefined) return;
  // The compiler and the bundler are processes of their own: both work at once.
  const types = beginIfWanted("types", (context) => checkTypes(generated, context), String);
  const bundling = beginIfWanted(
    "bundle",
    (context) => bundle(generated, context),
    ({ bytes }) => `${megabytes(bytes)} in one module`,
  );
  await types();
  const bundled = await bundling();
  if (bundled !== undefined) {
    await beginIfWanted("self-test", (context) => selfTest(generated, bundled, context), String)();
    await beginIfWanted("package", (context) => packageFor(request, generated, bundled, context), String)();
  }
  await keepLock(generated, request, (text) => report({ event: "notice", step: "generate", text }));
}

async function discoverFor({ manifest, out, lock, steps }: BuildRequest, context: BuildContext): Promise<Discovered> {
  // Before minutes of work are found to be for nothing.
  if (steps.has("package")) await demandFreeOutput(out);
  return discover(manifest, lock, context);
}

async function packageFor({ out, image }: BuildRequest, generated: Generated, bundled: Bundled, context: BuildContext): Promise<string> {
  const folder = await packageDistribution(generated, bundled, out, context);
  return image === undefined ? folder : `${folder}; ${await makeImage(image, out, generated, context)}`;
}

/** Says what has changed. A lock that is enforced is what it was. */
async function keepLock(
  { lock, changes, locked }: Generated,
  { manifest, lock: mode }: BuildRequest,
  say: (text: string) => void,
): Promise<void> {
  const text = lockText(lock);
  if (mode === "enforce" || (locked !== undefined && text === lockText(locked))) return;
  const file = lockPath(manifest);
  await writeFile(file, text);
  for (const { what, locked: before, found } of changes) say(`${what}: ${before} -> ${found}`);
  say(`${file} is ${locked === undefined ? "new" : "renewed"}: commit it`);
}

const foundText = ({ policies, lock }: Discovered): string => `${counted(policies.length)}${lock === undefined ? ", no lock yet" : ""}`;

const generatedText = ({ lock }: Generated): string => {
  const packages = Object.keys(lock.packages).filter((path) => path.includes("node_modules/")).length;
  return `lock ${lockHash(lock).slice(0, 12)}${packages === 0 ? "" : `, ${packages} packages`}`;
};

const counted = (policies: number): string => `${policies} ${policies === 1 ? "policy" : "policies"}`;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
