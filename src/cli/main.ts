/** The command line: one file for each command, arguments read by a library. */
import { Command, CommanderError } from "commander";
import type { BuildInfo } from "../build-info.ts";
import type { PolicyRegistry } from "../config/types.ts";
import { version } from "../version.ts";
import type { MakeCommand } from "./command.ts";
import { diffCommand } from "./diff.ts";
import { doctorCommand } from "./doctor.ts";
import { envoyCommand } from "./envoy.ts";
import { exitCodes } from "./exit-codes.ts";
import { explainCommand } from "./explain.ts";
import { listCommand } from "./list.ts";
import { rollbackCommand } from "./rollback.ts";
import { schemaCommand } from "./schema.ts";
import { selfTestCommand } from "./self-test.ts";
import { serveCommand } from "./serve.ts";
import { testCommand } from "./test.ts";
import { validateCommand } from "./validate.ts";
import { workerCommand } from "./worker.ts";

export interface ProgramOptions {
  /** What the distribution was built from. Default: it was not, this is a checkout. */
  readonly buildInfo?: BuildInfo;
  /** Commands that only a checkout has. Default: none. */
  readonly commands?: readonly MakeCommand[];
}

/** What every distribution has; a checkout has the builder's commands besides. */
const engineCommands: readonly MakeCommand[] = [
  serveCommand,
  validateCommand,
  diffCommand,
  explainCommand,
  rollbackCommand,
  testCommand,
  listCommand,
  envoyCommand,
  doctorCommand,
  schemaCommand,
  selfTestCommand,
];

/**
 * Runs a command and resolves with the exit code: 0 fine, 1 findings, 2 misuse. Results go to standard output, words for people to standard
 * error.
 *
 * @param argv the arguments after the program's name
 * @param policies the policies that are compiled in
 */
export async function main(argv: readonly string[], policies: PolicyRegistry, options: ProgramOptions = {}): Promise<number> {
  const { buildInfo, commands = [] } = options;
  let exitCode: number = exitCodes.fine;
  process.stdout.on("error", endQuietly);
  const program = new Command("policy-engine")
    .description("Envoy asks, policy chains answer: an ext_proc policy engine.")
    .version(buildInfo === undefined ? version : `${buildInfo.name} ${buildInfo.version} (engine ${version})`)
    .showHelpAfterError()
    .exitOverride()
    .addHelpText("after", "\nExample:\n  policy-engine serve --settings configs/simple/settings.yaml");
  for (const command of [...engineCommands, ...commands]) {
    const exit = (code: number): void => {
      exitCode = code;
    };
    program.addCommand(command(policies, exit, buildInfo).copyInheritedSettings(program));
  }
  program.addCommand(workerCommand(policies, () => {}, buildInfo).copyInheritedSettings(program), { hidden: true });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    // The library has already said what is wrong, or has printed the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.misuse;
    process.stderr.write(`policy-engine: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitCodes.misuse;
  }
}

/** Whoever read our output has left, as `head` does: there is nobody to say more to. */
function endQuietly(error: Error): void {
  if ("code" in error && error.code === "EPIPE") process.exit(exitCodes.fine);
  throw error;
}
