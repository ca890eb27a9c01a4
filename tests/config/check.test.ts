import { describe, expect, test } from "vitest";
import { checkConfig } from "../../src/config/check.ts";
import { formatProblems } from "../../src/config/problems.ts";
import type { Checked, CheckedChain } from "../../src/config/types.ts";
import { casesIn, expectGolden } from "./goldens.ts";
import { secretWord, testEnvironment, testSchemas } from "./support.ts";

const environment = testEnvironment(testSchemas());

describe("each document is accepted or refused as its golden says", () => {
  test.each(casesIn("cases/"))("$name", ({ documents, goldenPath }) => {
    const output = describeChecked(checkConfig(documents, environment));
    expectGolden(goldenPath, output);
    expect(output).not.toContain(secretWord);
  });

  test("no document at all", () => {
    expectGolden(new URL("no-configuration.golden.txt", import.meta.url).pathname, describeChecked(checkConfig([], environment)));
  });
});

function describeChecked(checked: Checked): string {
  if ("problems" in checked) return `refused, problems: ${checked.problems.length}\n\n${formatProblems(checked.problems)}\n`;
  const { chains, routes, unmatched, warnings } = checked.config;
  const lines = [
    "accepted",
    ...[...chains.values()].flatMap(describeChain),
    ...[...routes].map(([route, chain]) => `route ${route} -> ${chain ?? "nothing"}`),
    `unmatched -> ${unmatched.kind === "chain" ? unmatched.chain : unmatched.kind}`,
    ...(warnings.length === 0 ? [] : ["", formatProblems(warnings)]),
  ];
  return `${lines.join("\n")}\n`;
}

function describeChain(chain: CheckedChain): readonly string[] {
  const { name, description, labels, rawPath, bodyBytesMax, steps } = chain;
  const about = JSON.stringify({ description, labels, rawPath, bodyBytesMax });
  return [
    `chain ${name} ${about}`,
    ...steps.map((step) => {
      const { release, timeoutMs, onError, onUpgrade, onStream, when, whenReadsResponse } = step;
      const policy = `${release.manifest.name}@${release.manifest.version}`;
      const condition = when === undefined ? "" : ` when ${when.text}${whenReadsResponse ? " (on the response)" : ""}`;
      return `  ${step.name} ${policy} ${timeoutMs} ms, onError ${onError}, onUpgrade ${onUpgrade}, onStream ${onStream}${condition}`;
    }),
  ];
}
