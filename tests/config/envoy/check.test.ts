/**
 * Each rule of `envoy --check` with a bad file and a good twin: small edits of a printed one, see `edits.yaml`. What is said about the bad
 * ones is in `edits.golden.txt`.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { formatProblems } from "../../../src/config/problems.ts";
import { checkEnvoy } from "../../../src/envoy-config/check.ts";
import { printEnvoy } from "../../../src/envoy-config/print.ts";
import { type ErrorCode, problemCatalogue } from "../../../src/errors.ts";
import { policies } from "../../../src/generated/registry.ts";
import { expectGolden } from "../goldens.ts";
import { demandsOf, exampleText, type WrittenDemands, writtenDemands } from "./support.ts";

interface Case {
  readonly name: string;
  readonly demands?: WrittenDemands;
  /** Codes that are found, each once for every place. */
  readonly finds: readonly ErrorCode[];
  readonly bad: Variant;
  /** Default: the printed file as it is. */
  readonly good?: Variant;
}

/** A whole document, or the printed one with texts replaced; each must stand there once. */
type Variant = string | Readonly<Record<string, string>>;

const cases: readonly Case[] = parse(readFileSync(new URL("edits.yaml", import.meta.url), "utf8"));

function findings({ demands: written = {} }: Case, variant: Variant) {
  const demands = writtenDemands(written);
  const printed = printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 8080 } });
  return checkEnvoy({ uri: "envoy.yaml", text: edited(printed, variant) }, demands);
}

function edited(printed: string, variant: Variant): string {
  if (typeof variant === "string") return variant;
  return Object.entries(variant).reduce((text, [from, to]) => {
    expect(text.split(from), `\`${from}\` stands once in the printed file`).toHaveLength(2);
    return text.replace(from, () => to);
  }, printed);
}

describe("each rule", () => {
  test.each(cases)("$name", (one) => {
    expect(findings(one, one.bad).map(({ code }) => code)).toEqual(one.finds);
    expect(findings(one, one.good ?? {})).toEqual([]);
  });

  test("says what its golden says", () => {
    const texts = cases.map((one) => `== ${one.name}\n${formatProblems(findings(one, one.bad))}\n`);
    expectGolden(fileURLToPath(new URL("edits.golden.txt", import.meta.url)), texts.join("\n"));
  });

  test("has a case", () => {
    const codes = Object.keys(problemCatalogue).filter((code) => code.startsWith("envoy-"));
    const found = new Set<string>(cases.flatMap(({ finds }) => finds));
    expect(codes.filter((code) => !found.has(code))).toEqual([]);
  });
});

test("the demo's own file has one finding: the route that the demo leaves out to show what becomes of it", async () => {
  const demands = await demandsOf(exampleText("demo/settings.yaml"), exampleText("demo/policies.yaml"), policies);
  const problems = checkEnvoy({ uri: "envoy.yaml", text: exampleText("demo/envoy.yaml") }, demands);
  expect(problems.map(({ severity, code, message }) => [severity, code, message])).toEqual([
    ["warning", "envoy-route-unknown", "the configuration does not know the route `forgotten`: its requests are denied"],
  ]);
});

test("whatever the file says, nothing throws, and every position is inside it", () => {
  const demands = writtenDemands({ chains: { api: { requestBody: "buffered", mutates: ["path", "host"], reads: ["source.port"] } } });
  const lines = printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 8080 } }).split("\n");
  const scrap = fc.constantFrom("[]", "{}", "~", "yes", "7", "-1", '""', "%", "[[], { name: 1 }]", "{ value: {} }", "&a *a");
  const edit = fc.tuple(fc.nat(lines.length - 1), fc.option(scrap));
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
      const text = edits
        .reduce(
          (left, [index, value]) => left.with(index, value === null ? "" : (left[index] ?? "").replace(/: .*$|:$/, `: ${value}`)),
          lines,
        )
        .join("\n");
      for (const { position } of checkEnvoy({ uri: "envoy.yaml", text }, demands)) {
        expect(position.line).toBeLessThanOrEqual(lines.length);
        expect(position.column).toBeLessThanOrEqual((text.split("\n")[position.line - 1] ?? "").length + 1);
      }
    }),
    { seed: 5, numRuns: 300 },
  );
});
