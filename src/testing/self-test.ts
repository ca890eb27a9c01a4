/** Whether the policies that are compiled in do here what they should: each is created, runs its cases, and is closed. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { stringify } from "yaml";
import type { JsonSchema, PolicyRegistry, PolicyRelease, SourceDocument } from "../config/types.ts";
import type { ErrorCode, Position } from "../errors.ts";
import { prepare } from "../generations/prepare.ts";
import { createStepCounters } from "../observe/step-counters.ts";
import { createInstancePool } from "../worker/instances.ts";
import { parseCases } from "./case-format.ts";
import { runCases } from "./cases.ts";
import { exampleParameters } from "./example-parameters.ts";
import { metadataWriter } from "./metadata-writer.ts";
import { testCheckEnvironment, testHost } from "./test-engine.ts";

export type SelfTestEvent =
  /** What comes next concerns this policy, also what nobody catches. */
  | { readonly event: "testing"; readonly policy: string }
  | { readonly event: "passed"; readonly policy: string; readonly bound: boolean; readonly cases: number }
  | ({ readonly event: "failed"; readonly policy: string } & SelfTestFailure);

export interface SelfTestFailure {
  /** Creating it with the examples of its manifest, or a case. */
  readonly what: "create" | "case";
  readonly detail: string;
  /** In the case file. */
  readonly position?: Position;
}

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
  const known = new Map([...policies, ["earlier-steps@1.0.0", metadataWriter("earlier-steps", metadata, {})] as const]);
  for (const [policy, release] of policies) {
    if (!chosen(policy)) continue;
    report({ event: "testing", policy });
    const created = await bindExamples(release, known);
    // Without an instance the cases would say the same once more.
    const tested = created.failures.length === 0 ? await testCases(release, known, await cases(release)) : { passed: 0, failures: [] };
    const failures = [...created.failures, ...tested.failures];
    for (const failure of failures) report({ event: "failed", policy, ...failure });
    // What was rejected on the way and caught by nobody is reported now.
    await nextTurn();
    if (failures.length === 0) report({ event: "passed", policy, bound: created.bound, cases: tested.passed });
  }
}

async function testCases(
  release: PolicyRelease,
  known: PolicyRegistry,
  document: SourceDocument | undefined,
): Promise<{ readonly passed: number; readonly failures: readonly SelfTestFailure[] }> {
  if (document === undefined) return { passed: 0, failures: [] };
  const parsed = parseCases(document, testCheckEnvironment(known, {}).schemas);
  if ("problems" in parsed) {
    return { passed: 0, failures: parsed.problems.map(({ message, position }) => ({ what: "case", detail: message, position })) };
  }
  const results = await runCases(parsed.file, { kind: "policy", release }, { policies: known });
  const failures = results.flatMap(({ name, differences }) =>
    differences.map(({ path, message, values, position }): SelfTestFailure => {
      const seen = values === undefined ? "" : ` (expected ${JSON.stringify(values.expected)}, found ${JSON.stringify(values.found)})`;
      return { what: "case", detail: `case \`${name}\`, ${path}: ${message}${seen}`, position };
    }),
  );
  return { passed: results.filter(({ differences }) => differences.length === 0).length, failures };
}

/** Problems that are the policy's own doing; others say that the examples need something that is not here, such as a secret. */
const ownProblems: ReadonlySet<ErrorCode> = new Set(["policy-create-failed", "policy-create-timeout", "handler-shape"]);

async function bindExamples(
  release: PolicyRelease,
  known: PolicyRegistry,
): Promise<{ readonly bound: boolean; readonly failures: readonly SelfTestFailure[] }> {
  const { name, version, parameters, metadata } = release.manifest;
  const written = Object.assign({}, ...[...known.values()].map(({ manifest }) => manifest.metadata.writes));
  for (const key of Object.keys(metadata.writes)) delete written[key];
  const steps = [{ policy: "earlier-steps@1.0.0" }, { policy: `${name}@${version}`, parameters: exampleParameters(parameters) }];
  const config = { version: 1, chains: { example: { steps } }, routes: { example: "example" } };
  const now = (): number => Date.UTC(2026, 0, 1);
  const result = await prepare([{ uri: "the manifest's examples", text: stringify(config) }], {
    ...testCheckEnvironment(new Map([...known, ["earlier-steps@1.0.0", metadataWriter("earlier-steps", written, {})]]), {}),
    instances: createInstancePool(testHost({ counters: createStepCounters() }, now)),
    redact: (text) => text,
  });
  if ("prepared" in result) {
    result.prepared.release();
    return { bound: true, failures: [] };
  }
  const own = result.problems.filter(({ code }) => ownProblems.has(code));
  return { bound: false, failures: own.map(({ message }) => ({ what: "create", detail: message })) };
}
