/** The alert rules, held by Prometheus' own tool, and against the metrics that the engine has. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly remedy: string };
}

interface Case {
  readonly alert: string;
  readonly series: Readonly<Record<string, string>>;
  readonly at: number;
  readonly firing: readonly Readonly<Record<string, string>>[];
}

const configs = join(import.meta.dirname, "../../configs/prometheus");
const alerts = join(configs, "alerts.yaml");
const rules: readonly Rule[] = parse(readFileSync(alerts, "utf8")).groups.flatMap(({ rules }: { rules: Rule[] }) => rules);
const cases: readonly Case[] = parse(readFileSync(join(import.meta.dirname, "alerts.cases.yaml"), "utf8"));

const version = promtool("--version");
if (version === undefined)
  process.stdout.write("tests/prometheus: rules are not run: there is no promtool; Debian has it in `prometheus`\n");

function promtool(...parameters: readonly string[]): string | undefined {
  try {
    return execFileSync("promtool", parameters, { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

test("each alert has a case that fires it, a severity and a remedy", () => {
  expect(cases.filter(({ firing }) => firing.length > 0).map(({ alert }) => alert)).toEqual(rules.map(({ alert }) => alert));
  for (const { labels, annotations } of rules) {
    expect(["page", "ticket"]).toContain(labels.severity);
    expect(annotations).toEqual({ summary: expect.stringMatching(/\.$/), remedy: expect.stringMatching(/\.$/) });
  }
});

describe.runIf(version !== undefined)("by promtool", () => {
  test("it accepts the rules and the example of a configuration", () => {
    expect(promtool("check", "config", "--lint-fatal", join(configs, "prometheus.yaml"))).toContain(`SUCCESS: ${rules.length} rules found`);
  });

  test.each(cases.map((one, nth) => ({ ...one, nth })))("$alert, case $nth", ({ alert, series, at, firing }) => {
    const severity = rules.find((rule) => rule.alert === alert)?.labels.severity ?? "";
    const exp_samples = firing.map((labels) => ({
      labels: labelsText({ alertname: alert, alertstate: "firing", severity, ...labels }),
      value: 1,
    }));
    const expr = `ALERTS{alertname="${alert}",alertstate="firing"}`;
    const input_series = Object.entries(series).map(([name, values]) => ({ series: name, values }));
    const rulesTest = {
      rule_files: [alerts],
      evaluation_interval: "1m",
      tests: [{ interval: "1m", input_series, promql_expr_test: [{ expr, eval_time: `${at}m`, exp_samples }] }],
    };
    const folder = mkdtempSync(join(tmpdir(), "alerts-"));
    try {
      const file = join(folder, "test.yaml");
      writeFileSync(file, JSON.stringify(rulesTest));
      expect(promtool("test", "rules", file)).toContain("SUCCESS");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `ALERTS{${pairs.join(",")}}`;
}
