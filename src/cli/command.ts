import type { Command } from "commander";
import type { BuildInfo } from "../build-info.ts";
import type { PolicyRegistry } from "../config/types.ts";

/**
 * Makes a command. Its action says with `exit` how it went; unsaid it went fine. `buildInfo` is undefined where no build has made the program:
 * in a checkout.
 */
export type MakeCommand = (policies: PolicyRegistry, exit: (code: number) => void, buildInfo: BuildInfo | undefined) => Command;
