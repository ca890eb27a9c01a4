/** What answers Envoy in one process: policies, kernel, transport, and the numbers of both. Who delivers its generations is not its concern. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { BuildInfo } from "../build-info.ts";
import type { ListenAddress } from "../config/addresses.ts";
import { messageBytesMax } from "../config/message-bytes.ts";
import { createSchemaEngine } from "../config/schema-engine.ts";
import type { Settings } from "../config/settings.ts";
import type { PolicyRegistry } from "../config/types.ts";
import { failureCatalogue } from "../errors.ts";
import type { PatternEngine } from "../expressions/patterns.ts";
import { createGenerationHolder, type GenerationHolder } from "../generations/holder.ts";
import type { PrepareEnvironment } from "../generations/prepare.ts";
import { createPreparer, type Preparer } from "../generations/prepare-unless-superseded.ts";
import type { Secrets } from "../generations/secrets.ts";
import { createEngineMetadata } from "../kernel/engine-metadata.ts";
import { createExchangeCounters } from "../kernel/exchange-counters.ts";
import { createKernel } from "../kernel/kernel.ts";
import type { ReplyEvent } from "../kernel/kernel-host.ts";
import { createChainCounters } from "../observe/chain-counters.ts";
import type { Log } from "../observe/log.ts";
import { createMetrics, type Metrics } from "../observe/metrics.ts";
import { createPolicyCounters } from "../observe/policy-counters.ts";
import { createProbes, type ProbeRegistry } from "../observe/probes.ts";
import { buildInfoCollector, collectProcess } from "../observe/process-metrics.ts";
import { createStepCounters, type StepCounters } from "../observe/step-counters.ts";
import { createGrpcJsTransport } from "../transport/grpc-js.ts";
import { version } from "../version.ts";
import { createInstancePool } from "../worker/instances.ts";
import type { PolicyHost } from "../worker/policy-host.ts";
import { createRecordings, RecordedRun } from "../worker/recording.ts";
import { ExchangeRun, type RunHost } from "../worker/run.ts";
import { logGivenUp } from "./configuration-log.ts";
import { servingCollector } from "./engine-metrics.ts";
import { logBodyNotSent, logReply } from "./exchange-log.ts";
import { createOverloadGuard } from "./overload-guard.ts";
import { createPolicyHost } from "./policy-host.ts";

export interface ServingParts {
  readonly settings: Settings;
  /** Where this process listens. */
  readonly listen: readonly ListenAddress[];
  readonly policies: PolicyRegistry;
  /** What the distribution was built from, where a build has made it. */
  readonly buildInfo: BuildInfo | undefined;
  readonly secrets: Secrets;
  readonly patterns: PatternEngine;
  readonly log: Log;
}

export interface Serving {
  readonly generations: GenerationHolder;
  /** What generations are prepared with. */
  readonly environment: PrepareEnvironment;
  /** Prepares with it, as long as nothing newer comes. */
  readonly preparer: Preparer;
  readonly counters: StepCounters;
  readonly timers: Pick<PolicyHost, "startTimer" | "random">;
  readonly metrics: Metrics;
  readonly probes: ProbeRegistry;
  /** A recorded exchange by its id. Absent when recording is off. */
  readonly recording: ((id: string) => unknown) | undefined;
  /** There is a generation in use, and nobody has asked for the end. */
  isServing(): boolean;
  isDraining(): boolean;
  /** Resolves with the addresses in use. Rejects when one cannot be bound; then nothing is left of it. */
  listenNow(): Promise<readonly ListenAddress[]>;
  /**
   * Not serving from now on; new streams are served for `shutdown.drainDelay`, then GOAWAY. Resolves when all have ended or the grace period is
   * over. Called once.
   */
  drain(): Promise<void>;
  /** Ends whatever is left. Called once. */
  end(): Promise<void>;
}

/** How long the last writes may take before the sockets are closed. */
const flushMs = 200;

export function createServing({ settings, listen, policies, buildInfo, secrets, patterns, log }: ServingParts): Serving {
  const counters = createStepCounters();
  const chainCounters = createChainCounters();
  const policyCounters = createPolicyCounters();
  const probes = createProbes();
  const exchanges = createExchangeCounters();
  const policyHost = createPolicyHost(log, { counters, chainCounters, policyCounters, probes });
  const generations = createGenerationHolder(Date.now);

  const runHost: RunHost = {
    monotonicMs: () => performance.now(),
    startTimer: policyHost.startTimer,
    counters,
    failed: ({ cause, ...failure }) => log.error({ ...failure, err: cause }, `step failed: ${failureCatalogue[failure.code].remedy}`),
  };
  const guard = createOverloadGuard({
    loopDelayMs: settings.overload.loopDelayMs,
    log,
    monotonicMs: runHost.monotonicMs,
    startTimer: policyHost.startTimer,
  });
  const recordings = settings.recording && createRecordings(settings.recording.exchangesMax);
  const replied = (event: ReplyEvent): void => {
    logReply(log, event);
    if (recordings === undefined || event.request === undefined) return;
    if (recordings.find(event.id) === undefined) recordings.add(event.request, event.chain, event.generation, []);
    recordings.replied(event.id, event.reply);
  };

  let draining = false;
  const isServing = (): boolean => !draining && generations.current() !== undefined;
  const transport = createGrpcJsTransport({
    addresses: listen,
    serving: isServing,
    messageBytesMax: messageBytesMax(settings.envoy.bodyBytesMax),
  });

  const kernel = createKernel({
    generations,
    envoy: settings.envoy,
    counters: exchanges,
    engineMetadata: settings.envoy.metadata && createEngineMetadata(settings.envoy.metadata, secrets.redact),
    now: Date.now,
    monotonicMs: runHost.monotonicMs,
    newId: randomUUID,
    refusesNew: guard.refuses,
    startRun:
      recordings === undefined
        ? (chain, request) => new ExchangeRun(chain, request, runHost)
        : (chain, request, generation) =>
            new RecordedRun(chain, request, runHost, (steps) => recordings.add(request, chain.name, generation, steps)),
    replied,
    bodyNotSent: (event) => logBodyNotSent(log, event),
  });

  const processMetrics = collectProcess();
  const metrics = createMetrics();
  metrics.register(counters.families);
  metrics.register(chainCounters.families);
  metrics.register(policyCounters.families);
  metrics.register(probes.families);
  metrics.register(guard.families);
  metrics.register(processMetrics.collect);
  metrics.register(buildInfoCollector(version, buildInfo));
  metrics.register(servingCollector({ exchanges, generations }));

  const stopTimers = (): void => {
    processMetrics.stop();
    guard.stop();
  };
  const environment: PrepareEnvironment = {
    policies,
    schemas: createSchemaEngine(patterns),
    secret: secrets.read,
    envoy: settings.envoy,
    instances: createInstancePool(policyHost),
    redact: secrets.redact,
  };
  const preparer = createPreparer(environment, {
    startTimer: policyHost.startTimer,
    givenUp: (problems) => logGivenUp(log, problems),
  });
  return {
    generations,
    environment,
    preparer,
    counters,
    timers: policyHost,
    metrics,
    probes,
    recording: recordings?.find,
    isServing,
    isDraining: () => draining,
    listenNow: () =>
      transport.listen(kernel.open).catch((error: unknown) => {
        stopTimers();
        throw error;
      }),
    async drain() {
      draining = true;
      const { drainDelayMs, graceMs } = settings.shutdown;
      log.info({ drainDelayMs, graceMs }, "draining: not serving, open exchanges go on");
      await sleep(drainDelayMs);
      const drained = transport.drain().then(() => "drained" as const);
      if ((await Promise.race([drained, sleep(graceMs - drainDelayMs, "late" as const, { ref: false })])) === "late") {
        log.warn({ open: exchanges.read().open }, "the grace period is over: ending what is left");
      }
    },
    async end() {
      kernel.abandon();
      await sleep(flushMs);
      await transport.close();
      stopTimers();
    },
  };
}
