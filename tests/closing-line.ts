import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node";

/**
 * Ends a run with `N passed, N failed` (and `, N skipped`) alone on the last line, after every skipped test by name and reason.
 *
 * A test that is skipped without a reason fails the run: nobody could tell it from one that was forgotten.
 */
export class ClosingLine implements Reporter {
  #filtered = false;

  onInit(vitest: Vitest): void {
    this.#filtered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const skipped = tests.filter((test) => test.result().state === "skipped");
    // `-t` leaves tests out without a word; those are not skipped, they were not asked for.
    const mute = skipped.filter((test) => reasonOf(test) === undefined);
    const told = this.#filtered ? skipped.filter((test) => !mute.includes(test)) : skipped;
    const passed = tests.filter((test) => test.result().state === "passed").length;
    const failedTests = tests.filter((test) => test.result().state === "failed").length;
    // A file that cannot be loaded and an error outside any test have no test to count: each counts as one.
    const failedElsewhere = unhandled.length + modules.reduce((sum, module) => sum + errorsOutsideTests(module), 0);
    const failed = failedTests + failedElsewhere + (this.#filtered ? 0 : mute.length);
    if (failed > 0) process.exitCode = 1;

    const lines = told.map(
      (test) => `skipped: ${test.module.relativeModuleId} > ${test.fullName}: ${reasonOf(test) ?? "NO REASON GIVEN, say ctx.skip(reason)"}`,
    );
    const counts = [`${passed} passed`, `${failed} failed`, ...(told.length > 0 ? [`${told.length} skipped`] : [])];
    process.stdout.write(`${[...lines, "", counts.join(", ")].join("\n")}\n`);
  }
}

function reasonOf(test: TestCase): string | undefined {
  const result = test.result();
  return result.state === "skipped" ? result.note : undefined;
}

function errorsOutsideTests(module: TestModule): number {
  return [module, ...module.children.allSuites()].reduce((sum, task) => sum + task.errors().length, 0);
}
