import { createSchemaEngine } from "../src/config/schema-engine.ts";
import { loadPatternEngine } from "../src/expressions/patterns.ts";
import type { BuildContext } from "./build-context.ts";
import { type BuildEvent, BuildFailure, type StepName } from "./events.ts";
import { createNpm } from "./npm.ts";

export interface RunnerOptions {
  /** The checkout whose engine goes into the distribution. */
  readonly engineRoot: string;
  /** For what need not be fetched or proven again. */
  readonly cache: string;
  /** A folder of this build's own. */
  readonly scratch: string;
  readonly monotonicMs: () => number;
  readonly report: (event: BuildEvent) => void;
}

/** Runs steps and tells what becomes of them, in the order in which they are finished here. */
export interface StepRunner {
  /** Starts the work now. The step is told of, as started and as ended, when what is returned is called; it resolves with the result. */
  begin<Result>(name: StepName, work: Work<Result>, detail: (result: Result) => string): () => Promise<Result>;
  /** The step is left out. */
  skip(name: StepName): void;
  /** Resolves when nothing that was begun goes on. */
  settled(): Promise<void>;
}

export type Work<Result> = (context: BuildContext) => Promise<Result>;

export function createStepRunner({ monotonicMs, report, ...folders }: RunnerOptions): StepRunner {
  const schemas = createSchemaEngine(loadPatternEngine().engine);
  const begun: Promise<unknown>[] = [];
  return {
    begin(name, work, detail) {
      // What is said before the step is told of is said after that.
      const early: BuildEvent[] = [];
      let say = (event: BuildEvent): void => void early.push(event);
      const output = (tool: string, text: string): void => say({ event: "output", step: name, tool, text });
      const notice = (text: string): void => say({ event: "notice", step: name, text });
      const startedMs = monotonicMs();
      let ms = 0;
      const working = work({ ...folders, schemas, npm: createNpm((text) => output("npm", text)), notice, output }).finally(() => {
        ms = Math.round(monotonicMs() - startedMs);
      });
      begun.push(working.catch(() => {}));
      return async () => {
        report({ event: "started", step: name });
        early.forEach(report);
        say = report;
        try {
          const result = await working;
          report({ event: "finished", step: name, exitCode: 0, ms, detail: detail(result) });
          return result;
        } catch (error) {
          if (error instanceof BuildFailure) report({ event: "failed", step: name, exitCode: 1, ms, problems: error.problems });
          throw error;
        }
      };
    },
    skip: (name) => report({ event: "skipped", step: name }),
    settled: async () => {
      await Promise.all(begun);
    },
  };
}
