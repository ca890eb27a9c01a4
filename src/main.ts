/** Wires the parts into a running engine: settings -> providers -> generations -> serve -> drain. */
import { type AdminServer, startAdminServer } from "./admin/server.ts";
import type { BuildInfo } from "./build-info.ts";
import { addressText, type ListenAddress } from "./config/addresses.ts";
import type { Settings } from "./config/settings.ts";
import type { PolicyRegistry } from "./config/types.ts";
import { type Configuration, createConfiguration } from "./engine/configuration.ts";
import { problemFacts } from "./engine/configuration-log.ts";
import { configPage, generationsPage, routePage } from "./engine/configuration-pages.ts";
import { configurationCollector } from "./engine/engine-metrics.ts";
import { registrationsOf } from "./engine/registrations.ts";
import { createServing } from "./engine/serving.ts";
import { useInProcess } from "./engine/use-in-process.ts";
import { loadPatternEngine } from "./expressions/patterns.ts";
import { createSecrets } from "./generations/secrets.ts";
import { createLog, type Log } from "./observe/log.ts";
import type { Registration } from "./providers/source.ts";
import { version } from "./version.ts";

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

/** Starts everything. Rejects when it cannot listen; a wrong configuration is no reason, the engine then denies with 503. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { settings, policies, environment, buildInfo, registrations = [] } = options;
  const secrets = createSecrets(environment);
  const log = createLog({ level: settings.log.level, redact: secrets.redact });
  const { engine: patterns, warning } = loadPatternEngine();
  if (warning !== undefined) log.warn({ patterns: patterns.name }, warning);

  const serving = createServing({ settings, listen: settings.listen, policies, buildInfo, secrets, patterns, log });
  const { generations, timers } = serving;
  const configuration = await createConfiguration({
    registrations: [...registrationsOf(settings, { log, secrets, policies, ...timers }), ...registrations],
    use: useInProcess(serving),
    secrets,
    settings,
    log,
    startTimer: timers.startTimer,
  });
  serving.metrics.register(configurationCollector(configuration, serving.isServing));

  const admin = await startAdminServer(settings.admin, {
    readiness: () => ({
      ready: serving.isServing(),
      detail: { draining: serving.isDraining(), ...configuration.state(), probes: serving.probes.states() },
    }),
    metrics: serving.metrics.expose,
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
    decision: serving.decision,
    explain: serving.explain,
  });
  const listening = await serving.listenNow().catch(async (error: unknown) => {
    await admin.close();
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

  const end = async (): Promise<void> => {
    await serving.end();
    await Promise.all([configuration.close(), admin.close()]);
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
      if (serving.isDraining()) return endOnce();
      await serving.drain();
      return endOnce();
    },
  };
}
