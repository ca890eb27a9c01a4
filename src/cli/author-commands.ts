import type { MakeCommand } from "./command.ts";
import { lintCommand } from "./lint.ts";
import { newCommand } from "./new.ts";

/** What the authors of policies need, wherever the engine runs from its sources. A distribution has neither templates nor a parser. */
export const authorCommands: readonly MakeCommand[] = [newCommand, lintCommand];
