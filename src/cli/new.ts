import { join, resolve } from "node:path";
import { Command } from "commander";
import { createPolicy } from "../../builder/new-policy.ts";
import type { MakeCommand } from "./command.ts";

export const newCommand: MakeCommand = () =>
  new Command("new")
    .description("Makes the folder of a new policy, with cases to start from. Never writes over anything.")
    .argument("<name>", "lower-case letters and digits in words joined by `-`")
    .option("--dir <folder>", "the folder for NAME/v1.0.0", "policies")
    .addHelpText("after", "\nExample:\n  policy-engine new tenant-header\n  policy-engine new tenant-header --dir ../our-policies")
    .action(async (name: string, { dir }: { dir: string }) => {
      const folder = await createPolicy({ name, directory: dir, engineRoot: resolve(join(import.meta.dirname, "../..")) });
      process.stdout.write(`${folder}\n`);
      process.stderr.write(
        `\nOne of its cases fails on purpose; README.md in it says why. Next:\n  policy-engine test ${folder} --watch\n  policy-engine lint ${folder}\n`,
      );
    });
