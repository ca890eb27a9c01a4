import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { build, stepsFor } from "../../builder/build.ts";
import type { LockMode } from "../../builder/build-context.ts";
import { type StepName, stepNames } from "../../builder/events.ts";
import { printEventJson, printEvents } from "./build-progress.ts";
import type { MakeCommand } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";

interface Options {
  readonly manifest: string;
  readonly out: string;
  readonly image?: string;
  readonly locked?: boolean;
  readonly update?: boolean;
  readonly only?: readonly StepName[];
  readonly skip?: readonly StepName[];
  readonly json?: boolean;
  readonly verbose?: boolean;
}

export const buildCommand: MakeCommand = (_policies, exit) =>
  new Command("build")
    .description("Builds a distribution: the engine with the policies that a manifest names, as a folder that runs with Node.")
    .option("--manifest <file>", "what to build", "distribution.yaml")
    .option("--out <folder>", "where the distribution goes", "dist/distribution")
    .option("--image <tag>", "also makes a container image of it, with Docker")
    .addOption(new Option("--locked", "stops on any difference to the lock file; the default under CI").conflicts("update"))
    .option("--update", "looks up versions anew, takes over what has changed, and says it")
    .addOption(steps("--only <step...>", "runs these steps, and those that they need").conflicts("skip"))
    .addOption(steps("--skip <step...>", "leaves out these steps, and those that need them"))
    .option("--json", "for machines: one event a line")
    .option("--verbose", "also shows what npm, the compiler and the bundler say")
    .addHelpText("after", "\nExample:\n  policy-engine build --manifest distribution.yaml --out dist/acme-gateway")
    .action(async ({ manifest, out, image, json, verbose, ...options }: Options) => {
      const succeeded = await build(
        { manifest, out, lock: lockMode(options), steps: chosenSteps(options), ...(image === undefined ? {} : { image }) },
        {
          engineRoot,
          cache: cacheFolder(),
          monotonicMs: () => performance.now(),
          report: json === true ? printEventJson : printEvents({ verbosity: verbose === true ? "all" : "failures" }),
        },
      );
      if (!succeeded) exit(exitCodes.findings);
    });

const engineRoot = join(dirname(fileURLToPath(import.meta.url)), "../..");

function steps(flags: string, description: string): Option {
  return new Option(flags, description).choices(stepNames);
}

function lockMode({ locked, update }: Pick<Options, "locked" | "update">): LockMode {
  if (update === true) return "renew";
  return locked === true || isCi() ? "enforce" : "use";
}

/** The variable that every service for continuous integration sets. */
function isCi(): boolean {
  const { CI: ci = "" } = process.env;
  return !["", "0", "false"].includes(ci);
}

function chosenSteps({ only, skip = [] }: Pick<Options, "only" | "skip">): ReadonlySet<StepName> {
  if (only !== undefined) return stepsFor(only);
  return new Set(stepNames.filter((name) => ![...stepsFor([name])].some((needed) => skip.includes(needed))));
}

/** With what set-up keeps for every checkout of this user. */
function cacheFolder(): string {
  const { POLICY_ENGINE_CACHE: own, XDG_CACHE_HOME: shared = join(homedir(), ".cache") } = process.env;
  return join(own ?? join(shared, "envoy-policy-engine"), "builds");
}
