/**
 * The parent of workers. It serves no traffic and runs no policy: it has the configuration, the providers, what is kept on disk and the admin
 * port, starts the workers, and sees to it that they all serve by the same.
 */
import { type AdminServer, startAdminServer } from "../admin/server.ts";
import type { BuildInfo } from "../build-info.ts";
import { addressText } from "../config/addresses.ts";
import { createSchemaEngine } from "../config/schema-engine.ts";
import type { Settings } from "../config/settings.ts";
import type { PolicyRegistry } from "../config/types.ts";
import { type Configuration, createConfiguration } from "../engine/configuration.ts";
import { problemFacts } from "../engine/configuration-log.ts";
import { configPage, generationsPage } from "../engine/configuration-pages.ts";
import { configurationCollector, logCollector } from "../engine/engine-metrics.ts";
import { registrationsOf } from "../engine/registrations.ts";
import { loadPatternEngine } from "../expressions/patterns.ts";
import { createSecrets } from "../generations/secrets.ts";
import { createLog, type Log } from "../observe/log.ts";
import { createMetrics, metricsText } from "../observe/metrics.ts";
import { collectProcess } from "../observe/process-metrics.ts";
import { version } from "../version.ts";
import { type Deadlines, defaultDeadlines } from "./deadlines.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import type { ForkWorker } from "./fork-worker.ts";
import type { StartOrder } from "./protocol.ts";
import { useWorkers } from "./use-workers.ts";
import { isExplained, isRouteAnswer, isWorkerDetail } from "./worker-answers.ts";

export interface SupervisorOptions {
  readonly settings: Settings;
  /** The text that they were read from, for the workers. */
  readonly source: Pick<StartOrder, "settings" | "directory">;
  /** How many; at least one. */
  readonly workers: number;
  readonly fork: ForkWorker;
  readonly policies: PolicyRegistry;
  readonly buildInfo?: BuildInfo;
  /** The process's environment variables, for `${env:NAME}`. The workers read their own. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default: `defaultDeadlines`. */
  readonly deadlines?: Partial<Deadlines>;
}

export interface Supervisor {
  readonly log: Log;
  readonly admin: AdminServer;
  readonly configuration: Configuration;
  readonly fleet: Fleet;
  /** Drains and replaces one worker after the other, each by a new process of the program as it is now. Never rejects: the log says how it went. */
  replaceWorkers(): Promise<void>;
  /** As on SIGTERM: drains the workers, all at once, then ends. Called again it ends whatever is left at once. */
  stop(): Promise<void>;
}

/** Starts everything. Rejects when a worker or the admin port cannot be started; a wrong configuration is no reason. */
export async function superviseWorkers(options: SupervisorOptions): Promise<Supervisor> {
  const { settings, policies, buildInfo, environment } = options;
  const secrets = createSecrets(environment);
  const log = createLog({ level: settings.log.level, redact: secrets.redact });
  const { engine: patterns, warning } = loadPatternEngine();
  if (warning !== undefined) log.warn({ patterns: patterns.name }, warning);
  const timers = { startTimer, random: Math.random };

  const fleet = createFleet(options.workers, {
    fork: options.fork,
    order: options.source,
    log,
    deadlines: { ...defaultDeadlines, ...options.deadlines },
    graceMs: settings.shutdown.graceMs,
    drainDelayMs: settings.shutdown.drainDelayMs,
    ...timers,
    monotonicMs: () => performance.now(),
    pulse: { kind: tellsStatistics(settings) ? "counts" : "pulse" },
  });
  const checks = { policies, schemas: createSchemaEngine(patterns), secret: secrets.read, envoy: settings.envoy };
  const configuration = await createConfiguration({
    registrations: registrationsOf(settings, { log, secrets, policies, ...timers }),
    use: useWorkers(fleet, checks, Date.now),
    secrets,
    settings,
    log,
    startTimer,
  });
  const processMetrics = collectProcess();
  const ownMetrics = createMetrics();
  let draining = false;
  const isReady = (): boolean => {
    const generation = configuration.generations.current()?.number;
    return !draining && fleet.workers().some((one) => one.state === "up" && one.generation !== undefined && one.generation === generation);
  };
  ownMetrics.register(configurationCollector(configuration, isReady));
  const shared = createMetrics();
  shared.register(processMetrics.collect);
  shared.register(logCollector(log));
  const admin = await startAdminServer(settings.admin, {
    ...pagesOf(fleet, configuration),
    readiness: async () => {
      const shown = fleet.workers().map((one) => ({ ...one, listening: one.listening.map(addressText) }));
      const probes = (await detailsOf(fleet)).flatMap(({ worker, detail }) => detail.probes.map((probe) => ({ worker, ...probe })));
      return { ready: isReady(), detail: { draining, ...configuration.state(), workers: shown, probes } };
    },
    metrics: async () => {
      const isKnownChain = (chain: string): boolean => configuration.generations.current()?.config.chains.has(chain) === true;
      const families = await fleet.metrics([{ name: "parent", families: shared.families() }], isKnownChain);
      return metricsText([...families, ...ownMetrics.families()]);
    },
  });
  try {
    await fleet.start();
  } catch (error) {
    // Twice: nobody has been served yet, and there is nothing to drain.
    await Promise.all([fleet.stop(), fleet.stop(), admin.close()]);
    await configuration.close();
    processMetrics.stop();
    throw error;
  }
  await configuration.start();
  const generation = configuration.generations.current()?.number;
  log.info(
    {
      version,
      ...(buildInfo && { distribution: buildInfo }),
      workers: fleet.workers().map(({ pid, listening }) => ({ pid, listen: listening.map(addressText) })),
      admin: addressText({ kind: "tcp", host: admin.host, port: admin.port }),
      generation,
      patterns: patterns.name,
    },
    generation === undefined ? "listening, not ready: every exchange is denied until there is a valid configuration" : "ready",
  );

  const end = async (): Promise<void> => {
    await fleet.stop();
    await Promise.all([configuration.close(), admin.close()]);
    processMetrics.stop();
    log.info({}, "stopped");
    log.flush();
  };
  let ending: Promise<void> | undefined;
  let replacing: Promise<void> | undefined;
  return {
    log,
    admin,
    configuration,
    fleet,
    replaceWorkers() {
      replacing ??= replaceWorkers(fleet, log).finally(() => {
        replacing = undefined;
      });
      return replacing;
    },
    stop() {
      draining = true;
      if (ending !== undefined) return fleet.stop();
      const { drainDelayMs, graceMs } = settings.shutdown;
      log.info({ drainDelayMs, graceMs }, "draining the workers");
      ending = end();
      return ending;
    },
  };
}

async function replaceWorkers(fleet: Fleet, log: Log): Promise<void> {
  log.info({}, "replacing the workers, one after the other");
  try {
    await fleet.replaceAll();
    log.info({}, "every worker is replaced");
  } catch (error) {
    log.error({ err: error }, "a worker has not come back: the others are not replaced");
  }
}

/** Each policy of the chain is created for it. */
const explainTimeoutMs = 30_000;

function pagesOf(fleet: Fleet, configuration: Configuration): Omit<Parameters<typeof startAdminServer>[1], "readiness" | "metrics"> {
  const { generations, registry } = configuration;
  return {
    config: () => {
      const current = generations.current();
      return current && configPage(current);
    },
    generations: async () => {
      const open = (await detailsOf(fleet)).flatMap(({ detail }) => detail.open);
      return generationsPage({ ...generations, open: () => open }, registry.kept());
    },
    route: async (name) => {
      const answers = await fleet.askAll({ kind: "route", name });
      return answers.map(({ body }) => body).find(isRouteAnswer);
    },
    decision: async (id) => {
      const answers = await fleet.askAll({ kind: "decision", id });
      return answers.map(({ body }) => body).find((body) => typeof body === "object" && body !== null);
    },
    explain: async (text) => {
      const answer = await fleet.askOne({ kind: "explain", text }, explainTimeoutMs);
      return isExplained(answer) ? answer : { kind: "not-ready", body: { error: "no worker answers: `/readyz` says more" } };
    },
    rollback: async (generation, reason) => {
      const rollback = await configuration.rollback(generation, reason);
      return rollback.kind === "refused" ? { kind: rollback.kind, problems: rollback.problems.map(problemFacts) } : rollback;
    },
  };
}

async function detailsOf(fleet: Fleet) {
  const answers = await fleet.askAll({ kind: "detail" });
  return answers.flatMap(({ worker, body }) => (isWorkerDetail(body) ? [{ worker, detail: body }] : []));
}

/** Whether a provider of the settings tells its source what chains have done. */
function tellsStatistics({ providers }: Settings): boolean {
  return providers.some(
    (one) => (one.kind === "http" && one.report !== undefined) || (one.kind === "xds" && one.reportIntervalMs !== undefined),
  );
}

function startTimer(milliseconds: number, expired: () => void): () => void {
  const timer = setTimeout(expired, milliseconds);
  timer.unref();
  return () => clearTimeout(timer);
}
