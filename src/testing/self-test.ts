/** Whether the policies that are compiled in do here what they should: each is created, runs its cases, and is closed. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { stringify } from "yaml";
import { sdkGeneration } from "../config/manifest.ts";
import { formatProblems } from "../config/problems.ts";
import type { JsonSchema, PolicyRegistry, PolicyRelease, SourceDocument } from "../config/types.ts";
import type { ErrorCode } from "../errors.ts";
import { prepare } from "../generations/prepare.ts";
import { createStepCounters } from "../observe/step-counters.ts";
import { createInstancePool } from "../worker/instances.ts";
import { parseCases } from "./case-format.ts";
import { type Difference, runCases } from "./cases.ts";
import { differenceLines } from "./difference-lines.ts";
import { exampleParameters } from "./example-parameters.ts";
import { testCheckEnvironment, testHost } from "./test-engine.ts";

export type SelfTestEvent =
  /** What comes next concerns this policy, also what nobody catches. */
  | { readonly event: "testing"; readonly policy: string }
  | { readonly event: "passed"; readonly policy: string; readonly bound: boolean; readonly cases: number }
  | { readonly event: "failed"; readonly policy: string; readonly what: SelfTestPart; readonly detail: string };

/** Creating it with the examples of its manifest, or a case. */
export type SelfTestPart = "create" | "case";

export interface SelfTestOptions {
  /** Schemas of what policies elsewhere write to shared metadata, by key: examples and cases may read it. */
  readonly metadata: Readonly<Record<string, JsonSchema>>;
  /** Which policies are tested. */
  readonly chosen: (policy: string) => boolean;
  /** The case file of a policy; undefined where there is none. */
  readonly cases: (release: PolicyRelease) => Promise<SourceDocument | undefined>;
  readonly report: (event: SelfTestEvent) => void;
}

/** Tests one policy after the other, so that whatever happens is the doing of the one that was reported last. */
export async function selfTest(policies: PolicyRegistry, { metadata, chosen, cases, report }: SelfTestOptions): Promise<void> {
  const known = new Map([...policies, ["earlier-steps@1.0.0", writerOf(metadata)] as const]);
  for (const [policy, release] of policies) {
    if (!chosen(policy)) continue;
    report({ event: "testing", policy });
    const { bound, failures } = await bindExamples(release, known);
    for (const detail of failures) report({ event: "failed", policy, what: "create", detail });
    // Without an instance the cases would say the same once more.
    const document = failures.length === 0 ? await cases(release) : undefined;
    const parsed = document === undefined ? undefined : parseCases(document, testCheckEnvironment(policies, {}).schemas);
    if (parsed !== undefined && "problems" in parsed) {
      report({ event: "failed", policy, what: "case", detail: formatProblems(parsed.problems) });
      continue;
    }
    const results = parsed === undefined ? [] : await runCases(parsed.file, { kind: "policy", release }, { policies: known });
    const failed = results.filter(({ differences }) => differences.length > 0);
    for (const { name, differences } of failed)
      report({
        event: "failed",
        policy,
        what: "case",
        detail: `case \`${name}\`: ${differences.map(inOneLine).join("; ")}`,
      });
    // What was rejected on the way and caught by nobody is reported now.
    await nextTurn();
    if (failures.length + failed.length === 0) report({ event: "passed", policy, bound, cases: results.length });
  }
}

const inOneLine = (difference: Difference): string =>
  differenceLines(difference)
    .map((line) => line.trim())
    .join(", ");

/** Problems that are the policy's own doing; others say that the examples need something that is not here, such as a secret. */
const ownProblems: ReadonlySet<ErrorCode> = new Set(["policy-create-failed", "policy-create-timeout", "handler-shape"]);

async function bindExamples(
  release: PolicyRelease,
  known: PolicyRegistry,
): Promise<{ readonly bound: boolean; readonly failures: readonly string[] }> {
  const { name, version, parameters, metadata } = release.manifest;
  const written = Object.assign({}, ...[...known.values()].map(({ manifest }) => manifest.metadata.writes));
  for (const key of Object.keys(metadata.writes)) delete written[key];
  const steps = [{ policy: "earlier-steps@1.0.0" }, { policy: `${name}@${version}`, parameters: exampleParameters(parameters) }];
  const config = { version: 1, chains: { example: { steps } }, routes: { example: "example" } };
  const now = (): number => Date.UTC(2026, 0, 1);
  const result = await prepare([{ uri: "the manifest's examples", text: stringify(config) }], {
    ...testCheckEnvironment(new Map([...known, ["earlier-steps@1.0.0", writerOf(written)]]), {}),
    instances: createInstancePool(testHost({ counters: createStepCounters() }, now)),
    redact: (text) => text,
  });
  if ("prepared" in result) {
    result.prepared.release();
    return { bound: true, failures: [] };
  }
  return { bound: false, failures: result.problems.filter(({ code }) => ownProblems.has(code)).map(({ message }) => message) };
}

/** Stands for the policies that write this. */
function writerOf(writes: Readonly<Record<string, JsonSchema>>): PolicyRelease {
  const manifest: PolicyRelease["manifest"] = {
    name: "earlier-steps",
    version: "1.0.0",
    summary: "Stands for the steps before.",
    sdk: sdkGeneration,
    protects: false,
    metadata: { reads: [], writes },
    mutates: [],
    headers: { request: [], response: [] },
    replies: "sometimes",
    parameters: { type: "object", additionalProperties: false },
  };
  return { manifest, definition: { create: () => ({ request: () => {} }) }, source: "", hash: "" };
}
