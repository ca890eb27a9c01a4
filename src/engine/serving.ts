/** What answers Envoy in one process: policies, kernel, transport, and the numbers of both. Who delivers its generations is not its concern. */
import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExplainSource } from "../admin/explain.ts";
import type { BuildInfo } from "../build-info.ts";
import type { ListenAddress } from "../config/addresses.ts";
import { messageBytesMax } from "../config/message-bytes.ts";
import { createSchemaEngine } from "../config/schema-engine.ts";
import type { Settings } from "../config/settings.ts";
import type { PolicyRegistry } from "../config/types.ts";
import type { PatternEngine } from "../expressions/patterns.ts";
import { createGenerationHolder, type GenerationHolder } from "../generations/holder.ts";
import type { PrepareEnvironment } from "../generations/prepare.ts";
import { createPreparer, type Preparer } from "../generations/prepare-unless-superseded.ts";
import type { Secrets } from "../generations/secrets.ts";
import { createEngineMetadata } from "../kernel/engine-metadata.ts";
import { createExchangeCounters } from "../kernel/exchange-counters.ts";
import { createExchangeRecorder } from "../kernel/exchange-recorder.ts";
import { createKernel } from "../kernel/kernel.ts";
import type { ReplyEvent } from "../kernel/kernel-host.ts";
import { createCalloutCounters } from "../observe/callout-counters.ts";
import { createChainCounters } from "../observe/chain-counters.ts";
import type { Log } from "../observe/log.ts";
import { createMetrics, type Metrics } from "../observe/metrics.ts";
import { createPolicyCounters } from "../observe/policy-counters.ts";
import { createProbes, type ProbeRegistry } from "../observe/probes.ts";
import { buildInfoCollector, collectProcess } from "../observe/process-metrics.ts";
import { createStepCounters, type StepCounters } from "../observe/step-counters.ts";
import { createTransport } from "../transport/create-transport.ts";
import { version } from "../version.ts";
import { createInstancePool } from "../worker/instances.ts";
import type { PolicyHost } from "../worker/policy-host.ts";
import { createRecentDecisions, type RecentDecisions } from "../worker/recent-decisions.ts";
import { ExchangeRun } from "../worker/run.ts";
import type { RunHost } from "../worker/run-host.ts";
import { createBufferCollector } from "./buffer-collector.ts";
import { logGivenUp } from "./configuration-log.ts";
import { countedFetch } from "./counted-fetch.ts";
import { createCutOffs } from "./cut-offs.ts";
import { certificateCollector, logCollector, servingCollector } from "./engine-metrics.ts";
import { logBodyNotSent, logReply, logStepFailure } from "./exchange-log.ts";
import { createExchangeRecords } from "./exchange-records.ts";
import { createExplainSource } from "./explain-source.ts";
import { createOverloadGuard } from "./overload-guard.ts";
import { createPolicyHost } from "./policy-host.ts";
import { type WatchedServerTls, watchServerTls } from "./server-tls.ts";

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
  /** What is kept of an exchange, by the engine's id or Envoy's request id; undefined when nothing is. */
  readonly decision: RecentDecisions["find"];
  readonly explain: ExplainSource;
  /** There is a generation in use, and nobody has asked for the end. */
  isServing(): boolean;
  isDraining(): boolean;
  /** Resolves with the addresses in use. Rejects when one cannot be bound or the certificate be used; then nothing is left of it. */
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
/** How long decisions and spans that still wait may take to leave. */
const recordsFlushMs = 2_000;
/** About 1 KB each. */
const summariesMax = 1_000;

export function createServing({ settings, listen, policies, buildInfo, secrets, patterns, log }: ServingParts): Serving {
  const counters = createStepCounters();
  const chainCounters = createChainCounters();
  const policyCounters = createPolicyCounters();
  const probes = createProbes();
  const exchanges = createExchangeCounters();
  const calloutCounters = createCalloutCounters();
  const plainHost = createPolicyHost(log, { counters, chainCounters, policyCounters, probes });
  const policyHost = { ...plainHost, fetch: countedFetch(plainHost.fetch, calloutCounters, () => performance.now()) };
  const generations = createGenerationHolder(Date.now);

  const records = createExchangeRecords({ settings, log, current: generations.current, redact: secrets.redact });
  const recent = createRecentDecisions({ summariesMax, timelinesMax: settings.recording?.exchangesMax ?? 0 }, secrets.redact);
  const runHost: RunHost = {
    monotonicMs: () => performance.now(),
    startTimer: policyHost.startTimer,
    counters,
    failed: (failure) => {
      logStepFailure(log, failure, secrets.redact);
      recent.failed(failure);
      records.failed(failure);
    },
  };
  const guard = createOverloadGuard({
    loopDelayMs: settings.overload.loopDelayMs,
    log,
    monotonicMs: runHost.monotonicMs,
    startTimer: policyHost.startTimer,
  });
  const replied = (event: ReplyEvent): void => {
    const summary = event.request && recent.replied({ ...event, request: event.request });
    logReply(log, event, summary?.reason, secrets.redact);
  };

  let draining = false;
  const isServing = (): boolean => !draining && generations.current() !== undefined;
  const cutOffs = createCutOffs(log, runHost.monotonicMs);
  const transport = createTransport(
    settings.transport,
    {
      addresses: listen,
      serving: isServing,
      messageBytesMax: messageBytesMax(settings.envoy.bodyBytesMax),
      cutOff: cutOffs.add,
    },
    runHost.monotonicMs,
  );

  const recorder =
    settings.recording &&
    createExchangeRecorder({
      ...settings,
      generations,
      monotonicMs: runHost.monotonicMs,
      now: Date.now,
      redact: secrets.redact,
      done: recent.explained,
    });
  const kernel = createKernel({
    generations,
    envoy: settings.envoy,
    counters: exchanges,
    engineMetadata: settings.envoy.metadata && createEngineMetadata(settings.envoy.metadata, secrets.redact),
    now: Date.now,
    monotonicMs: runHost.monotonicMs,
    newId: randomUUID,
    piece: createBufferCollector(),
    refusesNew: guard.refuses,
    ...(recorder && { recorder }),
    startRun: (chain, request, generation, metadata) => {
      const host = records.hostFor(chain, request, metadata, runHost);
      return recorder?.startRun(chain, request, generation, host) ?? new ExchangeRun(chain, request, host, generation);
    },
    replied,
    bodyNotSent: (event) => logBodyNotSent(log, event),
    ended: records.ended,
  });

  const processMetrics = collectProcess();
  const metrics = createMetrics();
  metrics.register(counters.families);
  metrics.register(chainCounters.families);
  metrics.register(calloutCounters.families);
  for (const collector of records.collectors) metrics.register(collector);
  metrics.register(logCollector(log));
  metrics.register(policyCounters.families);
  metrics.register(probes.families);
  metrics.register(guard.families);
  metrics.register(cutOffs.families);
  metrics.register(processMetrics.collect);
  metrics.register(buildInfoCollector(version, buildInfo));
  metrics.register(servingCollector({ exchanges, generations }));

  const stopTimers = (): void => {
    processMetrics.stop();
    guard.stop();
  };
  let tls: WatchedServerTls | undefined;
  const schemas = createSchemaEngine(patterns);
  const environment: PrepareEnvironment = {
    policies,
    schemas,
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
    decision: recent.find,
    explain: createExplainSource({ ...policyHost, generations, schemas, envoy: settings.envoy, redact: secrets.redact }),
    isServing,
    isDraining: () => draining,
    async listenNow() {
      try {
        tls = settings.tls && (await watchServerTls(settings.tls, log));
        if (tls !== undefined) metrics.register(certificateCollector(tls));
        return await transport.listen(kernel.open, tls);
      } catch (error) {
        stopTimers();
        await Promise.all([records.close(0), tls?.close()]);
        throw error;
      }
    },
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
      await Promise.all([records.close(recordsFlushMs), tls?.close()]);
      stopTimers();
    },
  };
}
