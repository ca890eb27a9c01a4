/** The engine that the conversations are held with: kernel and worker as they are, with the `script` policies. */

import { formatProblems } from "../../src/config/problems.ts";
import type { EnvoyPromises } from "../../src/config/types.ts";
import { createGenerationHolder } from "../../src/generations/holder.ts";
import { prepare } from "../../src/generations/prepare.ts";
import { createExchangeCounters, type ExchangeCounters } from "../../src/kernel/exchange-counters.ts";
import { createKernel, type ReplyEvent } from "../../src/kernel/process-exchange.ts";
import type { OpenStream } from "../../src/kernel/transport.ts";
import { createStepCounters } from "../../src/observe/step-counters.ts";
import { testCheckEnvironment, testHost } from "../../src/testing/test-engine.ts";
import { createInstancePool } from "../../src/worker/instances.ts";
import { ExchangeRun, type StepFailure } from "../../src/worker/run.ts";
import { scriptPolicies } from "../support/script-policy.ts";
import type { Conversation } from "./conversation.ts";

export interface EngineUnderTest {
  readonly open: OpenStream;
  readonly counters: ExchangeCounters;
  readonly failures: readonly StepFailure[];
  readonly replies: readonly ReplyEvent[];
  /** Generations that are still held after the configuration has been let go of: none, if nothing leaks. */
  openGenerations(): number;
}

export async function engineUnderTest(config: string, settings: Conversation["settings"] = {}): Promise<EngineUnderTest> {
  const { resetLimited = false, ...promised } = settings;
  const envoy: EnvoyPromises = {
    identity: "both",
    allowModeOverride: true,
    responseHeaders: "skipped",
    messageTimeoutMs: 10_000,
    bodyBytesMax: 1024,
    ...promised,
  };
  const counters = createExchangeCounters();
  const generations = createGenerationHolder(() => 0);
  const host = testHost({ counters: createStepCounters() }, () => 0);
  if (config !== "none") {
    const environment = {
      ...testCheckEnvironment(scriptPolicies, {}),
      envoy,
      instances: createInstancePool(host),
      redact: (text: string) => text,
    };
    const result = await prepare([{ uri: "config.yaml", text: config }], environment);
    if ("problems" in result) throw new Error(formatProblems(result.problems));
    generations.commit(result.prepared);
  }
  const failures: StepFailure[] = [];
  const replies: ReplyEvent[] = [];
  let count = 0;
  const { open } = createKernel({
    generations,
    envoy,
    capabilities: { resetLimited },
    counters,
    now: () => 0,
    newId: () => `decision-${++count}`,
    startRun: (chain, received) =>
      new ExchangeRun(chain, received, {
        monotonicMs: () => performance.now(),
        startTimer: host.startTimer,
        counters: host.counters,
        failed: (failure) => failures.push(failure),
      }),
    replied: (event) => replies.push(event),
  });
  return {
    open,
    counters,
    failures,
    replies,
    openGenerations: () => {
      generations.close();
      return generations.open();
    },
  };
}
