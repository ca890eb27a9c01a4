import type { Problem } from "../src/errors.ts";

/** The steps of a build, in their order. */
export const stepNames = ["discover", "validate", "generate", "types", "bundle", "self-test", "package"] as const;

export type StepName = (typeof stepNames)[number];

/** What a build says while it runs; `--json` prints one a line. */
export type BuildEvent =
  | { readonly event: "started"; readonly step: StepName }
  | { readonly event: "finished"; readonly step: StepName; readonly exitCode: 0; readonly ms: number; readonly detail: string }
  | { readonly event: "skipped"; readonly step: StepName }
  | { readonly event: "failed"; readonly step: StepName; readonly exitCode: 1; readonly ms: number; readonly problems: readonly Problem[] }
  /** A warning of a step, or something that has changed and that somebody should see. */
  | { readonly event: "notice"; readonly step: StepName; readonly text: string }
  /** What a tool has printed. */
  | { readonly event: "output"; readonly step: StepName; readonly tool: string; readonly text: string };

/** Thrown by a step that has found what must stop the build. */
export class BuildFailure extends Error {
  override readonly name = "BuildFailure";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ message }) => message).join("; "));
    this.problems = problems;
  }
}
