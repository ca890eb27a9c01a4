import { Command } from "commander";
import type { MakeCommand } from "./command.ts";

export const listCommand: MakeCommand = (policies) =>
  new Command("list")
    .description("Lists the policies that are compiled in: name, version, hash, source.")
    .option("--json", "for machines")
    .addHelpText("after", "\nExample:\n  policy-engine list --json")
    .action(({ json }: { json?: boolean }) => {
      const rows = [...policies.values()].map(({ manifest, hash, source }) => ({
        name: manifest.name,
        version: manifest.version,
        hash,
        source,
        summary: manifest.summary,
      }));
      process.stdout.write(json === true ? `${JSON.stringify(rows, undefined, 2)}\n` : table(rows));
    });

function table(
  rows: readonly { readonly name: string; readonly version: string; readonly hash: string; readonly source: string }[],
): string {
  const cells = rows.map(({ name, version, hash, source }) => [`${name}@${version}`, hash.slice(0, 12), source]);
  const widths = [0, 1].map((column) => Math.max(0, ...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}\n`).join("");
}
