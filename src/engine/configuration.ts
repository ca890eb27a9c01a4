/** The configuration path of a running engine: providers -> registry -> generations, and what of it survives the process. */
import type { Settings } from "../config/settings.ts";
import type { Generation } from "../generations/generation.ts";
import { watchSecrets } from "../generations/secret-files.ts";
import type { Secrets } from "../generations/secrets.ts";
import type { Log } from "../observe/log.ts";
import { createProviderRegistry } from "../providers/create-registry.ts";
import type { KeptGeneration } from "../providers/kept-generations.ts";
import type { ProviderRegistry, Rollback } from "../providers/registry.ts";
import { isMadeOf, type SavedState } from "../providers/saved-state.ts";
import type { Registration } from "../providers/source.ts";
import { createStateStore, type StateStore, type StoreStatus } from "../providers/state-store.ts";
import type { ProviderStatistics } from "../providers/statistics.ts";
import { logRestored, logRollback, logVerdict, problemFacts } from "./configuration-log.ts";
import type { Reloader } from "./reloader.ts";

/** What takes configurations into use: this process, or its workers. */
export interface Use {
  readonly generations: { current(): InUse | undefined };
  readonly reloader: Reloader;
  /** What to tell a provider's source; undefined before any generation is in use. */
  statistics(provider: string, delivered: ProviderStatistics["delivered"], kept: readonly KeptGeneration[]): ProviderStatistics | undefined;
  /** Called last. */
  close(): void;
}

/** What is known of the generation in use wherever it runs. */
export type InUse = Pick<Generation, "number" | "hash" | "committedAt" | "config">;

export interface Configuration extends Pick<Use, "generations" | "reloader"> {
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
  /** @param before number of the last generation of an earlier process; 0: there was none that is known */
  readonly use: (before: number) => Use;
  readonly secrets: Secrets;
  readonly settings: Pick<Settings, "state">;
  readonly log: Log;
  readonly startTimer: (milliseconds: number, expired: () => void) => () => void;
}

/** Reads what an earlier process has saved; nothing else is started. Never rejects. */
export async function createConfiguration(parts: ConfigurationParts): Promise<Configuration> {
  const { registrations, secrets, log, startTimer } = parts;
  const store = parts.settings.state === undefined ? undefined : createStore(parts.settings.state, parts);
  const saved = store && (await loadState(store, registrations, log));
  let restored: SavedState | undefined;
  const use = parts.use(saved?.generation ?? 0);
  const { generations, reloader } = use;
  const registry = createProviderRegistry(
    registrations,
    {
      apply: (documents) => watching(reloader.apply(documents)),
      attempt: (documents, superseded) => watching(reloader.attempt(documents, superseded)),
      judged: (provider, verdict) => logVerdict(log, provider, verdict, generations.current()?.config.warnings ?? []),
      failed: (provider, error) =>
        log.error({ provider, err: error }, "the provider's source cannot be read: the running generation stays"),
      statistics: use.statistics,
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
      use.close();
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

function currentOf(generations: Use["generations"], registry: ProviderRegistry): Readonly<Record<string, unknown>> | undefined {
  const current = generations.current();
  if (current === undefined) return undefined;
  const { number, hash, committedAt } = current;
  const reason = registry.kept().find(({ generation }) => generation === number)?.reason;
  return { number, hash, since: new Date(committedAt).toISOString(), reason };
}
