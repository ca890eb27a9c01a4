/** Each rule of biome.json that this project added for a reason, seen to go red, and once green beside it. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Finding, lintPlanted } from "./lint.ts";

interface Planted {
  readonly name: string;
  readonly rule: string;
  readonly folder: string;
  readonly bad: string;
  readonly good: string;
}

const planted: readonly Planted[] = [
  {
    name: "a promise that nobody waits for",
    rule: "lint/nursery/noFloatingPromises",
    folder: "src/worker",
    bad: "async function work(): Promise<void> {}\nexport function start(): void {\n  work();\n}\n",
    good: "async function work(): Promise<void> {}\nexport async function start(): Promise<void> {\n  await work();\n}\n",
  },
  {
    name: "a switch that forgets a case of a closed union",
    rule: "lint/nursery/useExhaustiveSwitchCases",
    folder: "src/worker",
    bad: 'export function size(of: "small" | "large"): number {\n  switch (of) {\n    case "small":\n      return 1;\n  }\n  return 2;\n}\n',
    good: 'export function size(of: "small" | "large"): number {\n  switch (of) {\n    case "small":\n      return 1;\n    case "large":\n      return 2;\n  }\n}\n',
  },
  {
    name: "a default export outside policies",
    rule: "lint/style/noDefaultExport",
    folder: "src/worker",
    bad: "export default 1;\n",
    good: "export const one = 1;\n",
  },
  {
    name: "any",
    rule: "lint/suspicious/noExplicitAny",
    folder: "src/worker",
    bad: "export const one: any = 1;\n",
    good: "export const one: unknown = 1;\n",
  },
  {
    name: "an import without its suffix",
    rule: "lint/correctness/useImportExtensions",
    folder: "src/worker",
    bad: 'import { two } from "./two";\nexport const three = two + 1;\n',
    good: 'import { two } from "./two.ts";\nexport const three = two + 1;\n',
  },
  {
    name: "a barrel",
    rule: "lint/performance/noReExportAll",
    folder: "src/worker",
    bad: 'export * from "./two.ts";\n',
    good: "export const one = 1;\n",
  },
  {
    name: "a barrel of names",
    rule: "lint/performance/noBarrelFile",
    folder: "src/worker",
    bad: 'export { two } from "./two.ts";\n',
    good: "export const one = 1;\n",
  },
  {
    name: "console in the engine",
    rule: "lint/suspicious/noConsole",
    folder: "src/worker",
    bad: 'console.log("hi");\n',
    good: "export const one = 1;\n",
  },
  {
    name: "process.env outside main and the command line",
    rule: "lint/style/noProcessEnv",
    folder: "src/config",
    bad: "export const home = process.env.HOME;\n",
    good: "export const home = (environment: { readonly HOME?: string }) => environment.HOME;\n",
  },
  {
    name: "an enum",
    rule: "lint/style/noEnum",
    folder: "src/worker",
    bad: "export enum Size {\n  Small,\n}\n",
    good: 'export type Size = "small";\n',
  },
  {
    name: "a package that nobody declared",
    rule: "lint/correctness/noUndeclaredDependencies",
    folder: "scripts",
    bad: 'import pad from "left-pad";\nexport const padded = pad("a", 2);\n',
    good: 'import { parse } from "yaml";\nexport const parsed = parse("a: 1");\n',
  },
  {
    name: "a package for development in the engine",
    rule: "lint/correctness/noUndeclaredDependencies",
    folder: "src/testing",
    bad: 'import fc from "fast-check";\nexport const text = fc.string();\n',
    good: 'import { parse } from "yaml";\nexport const parsed = parse("a: 1");\n',
  },
  {
    name: "a test that runs alone",
    rule: "lint/suspicious/noFocusedTests",
    folder: "tests",
    bad: 'import { test } from "vitest";\ntest.only("a", () => {});\n',
    good: 'import { test } from "vitest";\ntest("a", () => {});\n',
  },
  {
    name: "a test with Envoy that does not ask which transport it is about",
    rule: "lint/style/noRestrictedImports",
    folder: "tests/envoy",
    bad: 'import { startStage } from "../../scripts/processes/start-stage.ts";\nexport const stage = startStage();\n',
    good: 'import type { Stage } from "../../scripts/processes/start-stage.ts";\nexport const ports: readonly Stage[] = [];\n',
  },
  {
    name: "a test that is skipped without a reason",
    rule: "lint/suspicious/noSkippedTests",
    folder: "tests",
    bad: 'import { test } from "vitest";\ntest.skip("a", () => {});\n',
    good: 'import { test } from "vitest";\ntest("a", (context) => context.skip("there is no container engine"));\n',
  },
];

/** Tests are where the rules for tests are, everything else is where it would be. */
const fileFor = ({ folder }: Planted, index: number, form: "bad" | "good"): string =>
  `${folder}/planted-${index}-${form}${folder === "tests" ? ".test" : ""}.ts`;

describe("a planted violation is refused, and its right form is not", () => {
  let findings: readonly Finding[];

  beforeAll(async () => {
    const files = planted.flatMap((each, index) => [
      [fileFor(each, index, "bad"), each.bad],
      [fileFor(each, index, "good"), each.good],
    ]);
    // The neighbour that some of them import: an import of nothing is another fault.
    findings = await lintPlanted({ ...Object.fromEntries(files), "src/worker/two.ts": "export const two = 2;\n" });
  });

  const rulesFor = (path: string): readonly string[] => findings.filter((finding) => finding.path === path).map(({ rule }) => rule);

  test.each(planted.map((each, index) => ({ name: each.name, each, index })))("$name", ({ each, index }) => {
    expect(rulesFor(fileFor(each, index, "bad"))).toContain(each.rule);
    expect(rulesFor(fileFor(each, index, "good"))).toEqual([]);
  });
});

test("a cycle of imports is refused", async () => {
  const importing = (other: string) => `import { start as next } from "./${other}.ts";\nexport function start(): void {\n  next();\n}\n`;
  const cycle = await lintPlanted({
    "src/worker/a.ts": importing("b"),
    "src/worker/b.ts": importing("c"),
    "src/worker/c.ts": importing("a"),
  });
  expect(cycle.map(({ rule, path }) => `${path} ${rule}`)).toEqual(
    ["a", "b", "c"].map((name) => `src/worker/${name}.ts lint/suspicious/noImportCycles`),
  );
});
