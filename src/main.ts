/** Wires the parts into a running engine: settings -> providers -> generations -> serve -> drain. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type AdminServer, startAdminServer } from "./admin/server.ts";
import type { BuildInfo } from "./build-info.ts";
import { addressText, type ListenAddress } from "./config/addresses.ts";
import { messageBytesMax } from "./config/message-bytes.ts";
import { createSchemaEngine } from "./config/schema-engine.ts";
import type { Settings } from "./config/settings.ts";
import type { PolicyRegistry } from "./config/types.ts";
import { type Configuration, createConfiguration } from "./engine/configuration.ts";
import { problemFacts } from "./engine/configuration-log.ts";
import { configPage, generationsPage, routePage } from "./engine/configuration-pages.ts";
import { countedFetch } from "./engine/counted-fetch.ts";
import { certificateCollector, engineCollector } from "./engine/engine-metrics.ts";
import { createExchangeRecords } from "./engine/exchange-records.ts";
import { createExplainSource } from "./engine/explain-source.ts";
import { createPolicyHost } from "./engine/policy-host.ts";
import { registrationsOf } from "./engine/registrations.ts";
import { watchServerTls } from "./engine/server-tls.ts";
import { failureCatalogue } from "./errors.ts";
import { loadPatternEngine } from "./expressions/patterns.ts";
import { createSecrets } from "./generations/secrets.ts";
import { createEngineMetadata } from "./kernel/engine-metadata.ts";
import { createExchangeCounters } from "./kernel/exchange-counters.ts";
import { createExchangeRecorder } from "./kernel/exchange-recorder.ts";
import { createKernel } from "./kernel/kernel.ts";
import type { BodyNotSentEvent, ReplyEvent } from "./kernel/kernel-host.ts";
import { createCalloutCounters } from "./observe/callout-counters.ts";
import { createChainCounters } from "./observe/chain-counters.ts";
import { createLog, type Log } from "./observe/log.ts";
import { createMetrics } from "./observe/metrics.ts";
import { createPolicyCounters } from "./observe/policy-counters.ts";
import { createProbes } from "./observe/probes.ts";
import { buildInfoCollector, collectProcess } from "./observe/process-metrics.ts";
import { createStepCounters } from "./observe/step-counters.ts";
import type { Registration } from "./providers/source.ts";
import { createTransport } from "./transport/create-transport.ts";
import { version } from "./version.ts";
import { createInstancePool } from "./worker/instances.ts";
import { createRecentDecisions } from "./worker/recent-decisions.ts";
import { ExchangeRun } from "./worker/run.ts";
import type { RunHost, StepFailure } from "./worker/run-host.ts";

export interface EngineOptions {
  readonly settings: Settings;
  readonly policies: PolicyRegistry;
  /** What the distribution was built from, where a build has made it. */
  readonly buildInfo?: BuildInfo;
  /** The process's environment variables, for `${env:NAME}`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Providers besides those of the settings. */
  readonly registrations?: readonly Registration[];
}

export interface Engine {
  readonly log: Log;
  readonly listening: readonly ListenAddress[];
  readonly admin: AdminServer;
  readonly configuration: Configuration;
  /**
   * Drains and ends: not ready and NOT_SERVING at once, new streams served for `drainDelay`, then GOAWAY; at the end of the grace period
   * whatever is left is ended. Called again it ends whatever is left at once.
   */
  stop(): Promise<void>;
}

/** How long the last writes may take before the sockets are closed. */
const flushMs = 200;
/** How long decisions and spans that still wait may take to leave. */
const recordsFlushMs = 2_000;
/** About 1 KB each. */
const summariesMax = 1_000;

/** Starts everything. Rejects when an address cannot be bound or the engine's certificate cannot be used; a wrong configuration is no reason, the engine then denies with 503. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { settings, policies, environment, buildInfo, registrations = [] } = options;
  const secrets = createSecrets(environment);
  const log = createLog({ level: settings.log.level, redact: secrets.redact });
  const tls = settings.tls && (await watchServerTls(settings.tls, log));
  const { engine: patterns, warning } = loadPatternEngine();
  if (warning !== undefined) log.warn({ patterns: patterns.name }, warning);

  const counters = createStepCounters();
  const chainCounters = createChainCounters();
  const policyCounters = createPolicyCounters();
  const probes = createProbes();
  const exchanges = createExchangeCounters();
  const calloutCounters = createCalloutCounters();
  const plainHost = createPolicyHost(log, { counters, chainCounters, policyCounters, probes });
  const policyHost = { ...plainHost, fetch: countedFetch(plainHost.fetch, calloutCounters, () => performance.now()) };
  const schemas = createSchemaEngine(patterns);
  const configuration = await createConfiguration({
    registrations: [
      ...registrationsOf(settings, { log, secrets, policies, startTimer: policyHost.startTimer, random: policyHost.random }),
      ...registrations,
    ],
    environment: {
      policies,
      schemas,
      secret: secrets.read,
      envoy: settings.envoy,
      instances: createInstancePool(policyHost),
      redact: secrets.redact,
    },
    secrets,
    counters,
    settings,
    log,
    startTimer: policyHost.startTimer,
  });
  const { generations } = configuration;

  const records = createExchangeRecords({ settings, log, current: generations.current, redact: secrets.redact });
  const recent = createRecentDecisions({ summariesMax, timelinesMax: settings.recording?.exchangesMax ?? 0 }, secrets.redact);
  const runHost: RunHost = {
    monotonicMs: () => performance.now(),
    startTimer: policyHost.startTimer,
    counters,
    failed: (failure) => {
      logStepFailure(log, failure);
      recent.failed(failure);
      records.failed(failure);
    },
  };
  const replied = (event: ReplyEvent): void => {
    logReply(log, event);
    if (event.request !== undefined) recent.replied({ ...event, request: event.request });
  };

  let draining = false;
  const serving = (): boolean => !draining && generations.current() !== undefined;
  const transport = createTransport(
    settings.transport,
    { addresses: settings.listen, serving, messageBytesMax: messageBytesMax(settings.envoy.bodyBytesMax), tls },
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
  metrics.register(policyCounters.families);
  metrics.register(probes.families);
  metrics.register(processMetrics.collect);
  metrics.register(buildInfoCollector(version, buildInfo));
  metrics.register(engineCollector({ exchanges, configuration, serving, log }));
  if (tls !== undefined) metrics.register(certificateCollector(tls));

  const admin = await startAdminServer(settings.admin, {
    readiness: () => ({ ready: serving(), detail: { draining, ...configuration.state(), probes: probes.states() } }),
    metrics: metrics.expose,
    config: () => {
      const generation = generations.current();
      return generation && configPage(generation);
    },
    generations: () => generationsPage(generations, configuration.registry.kept()),
    route: (name) => {
      const generation = generations.current();
      return generation && routePage(name, generation, settings.envoy);
    },
    rollback: async (generation, reason) => {
      const rollback = await configuration.rollback(generation, reason);
      return rollback.kind === "refused" ? { kind: rollback.kind, problems: rollback.problems.map(problemFacts) } : rollback;
    },
    decision: recent.find,
    explain: createExplainSource({ ...policyHost, generations, schemas, envoy: settings.envoy, redact: secrets.redact }),
  });
  const listening = await transport.listen(kernel.open).catch(async (error: unknown) => {
    await Promise.all([admin.close(), records.close(0), tls?.close()]);
    processMetrics.stop();
    throw error;
  });
  await configuration.start();
  log.info(
    {
      version,
      ...(buildInfo && { distribution: buildInfo }),
      listen: listening.map(addressText),
      admin: addressText({ kind: "tcp", host: admin.host, port: admin.port }),
      generation: generations.current()?.number,
      patterns: patterns.name,
    },
    generations.current() === undefined ? "listening, not ready: every exchange is denied until there is a valid configuration" : "ready",
  );

  const drain = async (): Promise<void> => {
    const { drainDelayMs, graceMs } = settings.shutdown;
    log.info({ drainDelayMs, graceMs }, "draining: not serving, open exchanges go on");
    await sleep(drainDelayMs);
    const drained = transport.drain().then(() => "drained" as const);
    if ((await Promise.race([drained, sleep(graceMs - drainDelayMs, "late" as const, { ref: false })])) === "late") {
      log.warn({ open: exchanges.read().open }, "the grace period is over: ending what is left");
    }
  };
  const end = async (): Promise<void> => {
    kernel.abandon();
    await sleep(flushMs);
    await transport.close();
    await Promise.all([configuration.close(), admin.close(), records.close(recordsFlushMs), tls?.close()]);
    processMetrics.stop();
    log.info({}, "stopped");
    log.flush();
  };
  let ending: Promise<void> | undefined;
  const endOnce = (): Promise<void> => {
    ending ??= end();
    return ending;
  };
  return {
    log,
    listening,
    admin,
    configuration,
    stop: async () => {
      if (draining) return endOnce();
      draining = true;
      await drain();
      return endOnce();
    },
  };
}

function logStepFailure(log: Log, { request, cause, durationMs: _, ...facts }: StepFailure): void {
  log.error({ id: request.id, ...facts, err: cause }, `step failed: ${failureCatalogue[facts.code].remedy}`);
}

/** One line for each reply: an approved exchange leaves none. */
function logReply(log: Log, { reply, id, request, chain, generation, cause }: ReplyEvent): void {
  const facts = { id, status: reply.status, code: reply.code, route: request?.route.name, chain, generation };
  if (reply.step !== undefined) return log.info({ ...facts, step: reply.step, reason: reply.reason }, "a policy replied");
  const failure = Object.entries(failureCatalogue).find(([code]) => code === reply.code);
  const level = reply.status >= 500 ? "error" : "info";
  log[level](
    { ...facts, step: reply.failedStep, ...(cause === undefined ? {} : { err: cause }), remedy: failure?.[1].remedy },
    "the engine refused an exchange",
  );
}

/** One line for each: a client that breaks off and an override that Envoy ignores look the same, and the second is a hole. */
function logBodyNotSent(log: Log, { id, request, chain, generation, direction }: BodyNotSentEvent): void {
  log.warn(
    {
      id,
      code: "body-not-sent",
      direction,
      route: request?.route.name,
      chain,
      generation,
      remedy: failureCatalogue["body-not-sent"].remedy,
    },
    "an exchange ended before the body that a step waits for: broken off, or, where every one ends so, Envoy ignores overrides",
  );
}
