import type { Command } from "commander";
import type { PolicyRegistry } from "../config/types.ts";

/** Makes a command. Its action says with `exit` how it went; unsaid it went fine. */
export type MakeCommand = (policies: PolicyRegistry, exit: (code: number) => void) => Command;
