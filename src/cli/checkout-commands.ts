import { buildCommand } from "./build.ts";
import type { MakeCommand } from "./command.ts";

/** What only a checkout can do: a distribution has no compiler. */
export const checkoutCommands: readonly MakeCommand[] = [buildCommand];
