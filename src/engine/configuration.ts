/** The configuration path of a running engine: providers -> registry -> generations, and what of it survives the process. */
import type { Settings } from "../config/settings.ts";
import { createGenerationHolder, type GenerationHolder } from "../generations/holder.ts";
import type { PrepareEnvironment } from "../generations/prepare.ts";
import { createPreparer } from "../generations/prepare-unless-superseded.ts";
import { watchSecrets } from "../generations/secret-files.ts";
import type { Secrets } from "../generations/secrets.ts";
import type { Log } from "../observe/log.ts";
import type { StepCounters } from "../observe/step-counters.ts";
import { createProviderRegistry } from "../providers/create-registry.ts";
import type { ProviderRegistry, Rollback } from "../providers/registry.ts";
import { isMadeOf, type SavedState } from "../providers/saved-state.ts";
import type { Registration } from "../providers/source.ts";
import { createStateStore, type StateStore, type StoreStatus } from "../providers/state-store.ts";
import { logGivenUp, logRestored, logRollback, logVerdict, problemFacts } from "./configuration-log.ts";
import { providerStatistics } from "./provider-statistics.ts";
import { createReloader, type Reloader } from "./reloader.ts";

export interface Configuration {
  readonly generations: GenerationHolder;
  readonly reloader: Reloader;
  readonly registry: ProviderRegistry;
  /** Resolves when the providers were heard and what came of it is in use or refused. */
  start(): Promise<void>;
  /** As `registry.rollback`; `reason` goes to the log. */
  rollback(generation: number, reason: string | undefined): Promise<Rollback>;
  /** What is on disk; undefined when nothing is kept there. */
  disk(): StoreStatus | undefined;
  /** Facts for people. */
  state(): Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface ConfigurationParts {
  readonly registrations: readonly Registration[];
  readonly environment: PrepareEnvironment;
  readonly secrets: Secrets;
  readonly settings: Pick<Settings, "state">;
  /** Those that the steps count on. */
  readonly counters: StepCounters;
  readonly log: Log;
  readonly startTimer: (milliseconds: number, expired: () => void) => () => void;
}

/** Reads what an earlier process has saved; nothing else is started. Never rejects. */
export async function createConfiguration(parts: ConfigurationParts): Promise<Configuration> {
  const { registrations, environment, secrets, log, startTimer } = parts;
  const store = parts.settings.state === undefined ? undefined : createStore(parts.settings.state, parts);
  const saved = store && (await loadState(store, registrations, log));
  let restored: SavedState | undefined;
  const generations = createGenerationHolder(Date.now, saved?.generation ?? 0);
  const preparer = createPreparer(environment, { startTimer, givenUp: (problems) => logGivenUp(log, problems) });
  const reloader = createReloader(environment, preparer, generations);
  const registry = createProviderRegistry(
    registrations,
    {
      apply: (documents) => watching(reloader.apply(documents)),
      attempt: (documents, superseded) => watching(reloader.attempt(documents, superseded)),
      judged: (provider, verdict) => logVerdict(log, provider, verdict, generations.current()?.config.warnings ?? []),
      failed: (provider, error) =>
        log.error({ provider, err: error }, "the provider's source cannot be read: the running generation stays"),
      statistics: (provider, delivered, kept) => providerStatistics(provider, { generations, counters: parts.counters, delivered, kept }),
      reportFailed: (provider, error) => log.warn({ provider, err: error }, "the provider's source did not take the statistics"),
      restored: (state, verdict) => {
        if (verdict.kind !== "refused") restored = state;
        logRestored(log, state, verdict);
      },
      settled: (sources) => {
        const current = generations.current();
        if (current === undefined) return;
        store?.save({ generation: current.number, hash: current.hash, since: current.committedAt, sources });
      },
      now: Date.now,
      startTimer,
    },
    saved,
  );
  /** The secrets that were read on the way, whatever came of it. */
  const watching = async <Result>(applying: Promise<Result>): Promise<Result> => {
    const result = await applying;
    await secretFiles.watch(secrets.files());
    return result;
  };
  const secretFiles = watchSecrets({
    changed: () => {
      registry.refresh().then(
        (verdict) => logVerdict(log, "secrets", verdict, []),
        (error: unknown) => log.error({ err: error }, "changed secrets could not be taken"),
      );
    },
    failed: (path, error) => log.warn({ path, err: error }, "a secret's file cannot be read: its last value stays in use"),
  });

  return {
    generations,
    reloader,
    registry,
    start: registry.start,
    async rollback(generation, reason) {
      const rollback = await registry.rollback(generation);
      logRollback(log, generation, reason, rollback);
      return rollback;
    },
    disk: () => store?.status(),
    state: () => ({
      generation: currentOf(generations, registry),
      startedFrom: restored && { generation: restored.generation, hash: restored.hash, savedAt: new Date(restored.since).toISOString() },
      problems: reloader.state().problems.map(problemFacts),
      providers: registry.state(),
      disk: store?.status(),
    }),
    async close() {
      await Promise.all([registry.close(), secretFiles.close()]);
      await store?.close();
      generations.close();
    },
  };
}

function createStore(folder: string, { log, startTimer }: ConfigurationParts): StateStore {
  return createStateStore(folder, {
    failed: (path, error) =>
      log.error({ path, err: error }, "the generation in use could not be saved: a restart would start from an older one"),
    startTimer,
  });
}

async function loadState(store: StateStore, registrations: readonly Registration[], log: Log): Promise<SavedState | undefined> {
  const { path } = store.status();
  const loaded = await store.load();
  switch (loaded.kind) {
    case "nothing":
      return undefined;
    case "broken":
      log.error({ path, reason: loaded.reason }, "the last good generation on disk is not used");
      return undefined;
    case "loaded": {
      const providers = registrations.map(({ provider, reads }) => ({ name: provider.name, reads }));
      if (isMadeOf(loaded.state, providers)) return loaded.state;
      log.warn({ path }, "the last good generation on disk is not used: the settings name other providers than those it was made of");
      return undefined;
    }
    default:
      return loaded satisfies never;
  }
}

function currentOf(generations: GenerationHolder, registry: ProviderRegistry): Readonly<Record<string, unknown>> | undefined {
  const current = generations.current();
  if (current === undefined) return undefined;
  const { number, hash, committedAt } = current;
  const reason = registry.kept().find(({ generation }) => generation === number)?.reason;
  return { number, hash, since: new Date(committedAt).toISOString(), reason };
}
