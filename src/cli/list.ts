import { Command } from "commander";
import type { BuildInfo } from "../build-info.ts";
import type { MakeCommand } from "./command.ts";

export const listCommand: MakeCommand = (policies, _exit, buildInfo) =>
  new Command("list")
    .description("Lists the policies that are compiled in, and what the distribution was built from.")
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
      if (json === true) {
        process.stdout.write(`${JSON.stringify({ distribution: buildInfo, policies: rows }, undefined, 2)}\n`);
        return;
      }
      process.stdout.write(table(rows));
      if (buildInfo !== undefined) process.stderr.write(`${buildText(buildInfo)}\n`);
    });

function buildText({ name, version, lockHash, sourceCommit, engine }: BuildInfo): string {
  const commit = sourceCommit === undefined ? "" : `, commit ${sourceCommit.slice(0, 12)}`;
  return `${name} ${version}, lock ${lockHash.slice(0, 12)}${commit}, engine ${engine}`;
}

function table(
  rows: readonly { readonly name: string; readonly version: string; readonly hash: string; readonly source: string }[],
): string {
  const cells = rows.map(({ name, version, hash, source }) => [`${name}@${version}`, hash.slice(0, 12), source]);
  const widths = [0, 1].map((column) => Math.max(0, ...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}\n`).join("");
}
