/** The engine that the conversations are held with: kernel and worker as they are, with the `script` policies. */

import type { MetadataPath } from "../../src/config/metadata-paths.ts";
import { formatProblems } from "../../src/config/problems.ts";
import type { EnvoyPromises, PolicyRegistry } from "../../src/config/types.ts";
import { createGenerationHolder } from "../../src/generations/holder.ts";
import { prepare } from "../../src/generations/prepare.ts";
import { createEngineMetadata } from "../../src/kernel/engine-metadata.ts";
import { createExchangeCounters, type ExchangeCounters } from "../../src/kernel/exchange-counters.ts";
import { createKernel } from "../../src/kernel/kernel.ts";
import type { BodyNotSentEvent, ReplyEvent } from "../../src/kernel/kernel-host.ts";
import type { OpenStream } from "../../src/kernel/transport.ts";
import { createStepCounters } from "../../src/observe/step-counters.ts";
import { testCheckEnvironment, testHost } from "../../src/testing/test-engine.ts";
import { createInstancePool } from "../../src/worker/instances.ts";
import type { PolicyHost } from "../../src/worker/policy-host.ts";
import { ExchangeRun } from "../../src/worker/run.ts";
import type { StepFailure } from "../../src/worker/run-host.ts";
import { scriptPolicies } from "../support/script-policy.ts";
import type { Conversation } from "./conversation.ts";

export interface EngineUnderTest {
  readonly open: OpenStream;
  /** Ends what is left, as at the end of the grace period. */
  readonly abandon: () => void;
  readonly counters: ExchangeCounters;
  readonly failures: readonly StepFailure[];
  readonly replies: readonly ReplyEvent[];
  readonly bodiesNotSent: readonly BodyNotSentEvent[];
  /** Generations that are still held after the configuration has been let go of: none, if nothing leaks. */
  openGenerations(): number;
  /** Deadlines that are running. */
  openTimers(): number;
}

export interface EngineParts {
  /** Default: the `script` policies. */
  readonly policies?: PolicyRegistry;
  /** Told of a failed step, besides the list. */
  readonly failed?: (failure: StepFailure) => void;
  /** Told of a reply, besides the list. */
  readonly replied?: (event: ReplyEvent) => void;
  /** Default: this process's. */
  readonly monotonicMs?: () => number;
}

export async function engineUnderTest(
  config: string,
  settings: Conversation["settings"] = {},
  { policies = scriptPolicies, failed, replied, monotonicMs = () => performance.now() }: EngineParts = {},
): Promise<EngineUnderTest> {
  const { metadata, overloaded = false, ...promised } = settings;
  const paths = metadata?.map(metadataPath);
  const envoy: EnvoyPromises = {
    identity: "both",
    allowModeOverride: true,
    responseHeaders: "skipped",
    messageTimeoutMs: 10_000,
    bodyBytesMax: 1024,
    metadata: paths,
    ...promised,
  };
  const counters = createExchangeCounters();
  const generations = createGenerationHolder(() => 0);
  const timers = new Set<object>();
  const untracked = testHost({ counters: createStepCounters() }, () => 0);
  const host: PolicyHost = {
    ...untracked,
    startTimer: (milliseconds, expired) => {
      const timer = {};
      timers.add(timer);
      const cancel = untracked.startTimer(milliseconds, () => {
        timers.delete(timer);
        expired();
      });
      return () => {
        timers.delete(timer);
        cancel();
      };
    },
  };
  if (config !== "none") {
    const environment = {
      ...testCheckEnvironment(policies, {}),
      envoy,
      instances: createInstancePool(host),
      redact: (text: string) => text,
    };
    const result = await prepare([{ uri: "config.yaml", text: config }], environment);
    if ("problems" in result) throw new Error(formatProblems(result.problems));
    generations.commit(result.prepared, 1);
  }
  const failures: StepFailure[] = [];
  const replies: ReplyEvent[] = [];
  const bodiesNotSent: BodyNotSentEvent[] = [];
  let count = 0;
  const { open, abandon } = createKernel({
    generations,
    envoy,
    counters,
    engineMetadata: paths && createEngineMetadata(paths, (text) => text.replaceAll("hush", "[redacted]")),
    now: () => 0,
    monotonicMs,
    newId: () => `decision-${++count}`,
    refusesNew: () => overloaded,
    startRun: (chain, received, generation) =>
      new ExchangeRun(
        chain,
        received,
        {
          monotonicMs,
          startTimer: host.startTimer,
          counters: host.counters,
          failed: (failure) => {
            failures.push(failure);
            failed?.(failure);
          },
        },
        generation,
      ),
    replied: (event) => {
      replies.push(event);
      replied?.(event);
    },
    bodyNotSent: (event) => void bodiesNotSent.push(event),
    ended: () => {},
  });
  return {
    open,
    abandon,
    counters,
    failures,
    replies,
    bodiesNotSent,
    openGenerations: () => {
      generations.close();
      return generations.open().length;
    },
    openTimers: () => timers.size,
  };
}

/** As the settings would read it. */
export function metadataPath(text: string): MetadataPath {
  const [key = "", ...inside] = text.split(".");
  return { text, keys: [key, ...inside], where: { position: { uri: "settings.yaml", line: 1, column: 1 }, path: "envoy.metadata" } };
}
