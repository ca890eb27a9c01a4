/** What only `create` can tell: a golden for each. */
import { describe, expect, test } from "vitest";
import { formatProblems } from "../../src/config/problems.ts";
import type { CheckEnvironment, PolicyRelease } from "../../src/config/types.ts";
import { prepare } from "../../src/generations/prepare.ts";
import { createSecrets } from "../../src/generations/secrets.ts";
import { createStepCounters } from "../../src/observe/step-counters.ts";
import { testHost } from "../../src/testing/test-engine.ts";
import { createInstancePool } from "../../src/worker/instances.ts";
import { casesIn, expectGolden } from "./goldens.ts";
import { secretWord, testEnvironment, testSchemas } from "./support.ts";

const schemas = testSchemas();

describe("each configuration is accepted or refused by the binder as its golden says", () => {
  test.each(casesIn("bound/"))("$name", async ({ documents, goldenPath, name }) => {
    const closed: string[] = [];
    const counters = createStepCounters();
    // The only timer is the deadline of `create`: it is over at once.
    const host = { ...testHost({ counters }, () => 0), startTimer: shortTimer };
    const secrets = createSecrets({ KEY: `${secretWord}-value` });
    const result = await prepare(documents, {
      ...environment(name.includes("not-sent")),
      policies: new Map([["misfit@1.0.0", misfit(closed)]]),
      secret: secrets.read,
      instances: createInstancePool(host),
      redact: secrets.redact,
    });
    const output =
      "problems" in result ? `${formatProblems(result.problems)}\n` : `accepted\n\n${formatProblems(result.prepared.config.warnings)}\n`;
    if ("prepared" in result) result.prepared.release();
    expectGolden(goldenPath, output);
    expect(output).not.toContain(secretWord);
    // What was created beside the misfits is closed again, and nothing is left of it in the metrics.
    await expect
      .poll(() => closed.toSorted())
      .toEqual(documents.flatMap(({ text }) => [...text.matchAll(/name: (good-\w+)/g)].map(([, good]) => good)).toSorted());
    expect(counters.families().map((family) => (family.type === "histogram" ? family.series.length : family.samples.length))).toEqual([
      0, 0,
    ]);
  });
});

function environment(skipsResponses: boolean): CheckEnvironment {
  const given = testEnvironment(schemas);
  return skipsResponses ? { ...given, envoy: { ...given.envoy, allowModeOverride: false } } : given;
}

function shortTimer(_milliseconds: number, expired: () => void): () => void {
  const timer = setTimeout(expired, 20);
  return () => clearTimeout(timer);
}

/** A policy that is what its parameter says. */
function misfit(closed: string[]): PolicyRelease {
  const instances: Readonly<Record<string, (step: string) => unknown>> = {
    good: (step) => ({ request: () => undefined, close: () => void closed.push(step) }),
    throws: () => {
      throw new Error("no such tenant");
    },
    "throws-secret": () => {
      throw new Error(`cannot use the key ${secretWord}-value`);
    },
    rejects: () => Promise.reject(new TypeError("`x y` is no header name")),
    hangs: () => new Promise(() => {}),
    nothing: () => undefined,
    empty: () => ({}),
    "wrong-handler": () => ({ request: "yes" }),
    "wrong-body": () => ({ response: { body: "whole", handle: () => undefined } }),
    buffered: () => ({ request: { body: "buffered", handle: () => undefined } }),
    "without-handle": () => ({ response: { body: "buffered", start: () => undefined } }),
    "without-start": () => ({ request: { body: "streamed", handle: () => undefined } }),
    streamed: (step) => ({ response: { body: "streamed", start: () => undefined }, close: () => void closed.push(step) }),
    request: () => ({ request: () => undefined }),
    response: () => ({ response: () => undefined }),
  };
  return {
    manifest: {
      name: "misfit",
      version: "1.0.0",
      summary: "Is what its parameter says.",
      sdk: 1,
      protects: false,
      metadata: { reads: [], writes: {} },
      mutates: [],
      headers: { request: [], response: [] },
      replies: "sometimes",
      parameters: {
        type: "object",
        additionalProperties: false,
        required: ["is"],
        properties: { is: { type: "string", description: "What it is." }, key: { type: "string", description: "A key." } },
      },
    },
    definition: { create: ({ is }: { is: string }, { step }: { step: string }) => instances[is]?.(step) as never },
    source: "tests",
    hash: "",
  };
}
