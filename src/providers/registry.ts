import type { SourceDocument } from "../config/types.ts";
import type { Provider, ProviderSink, Verdict } from "./provider.ts";

/** Merges what the providers deliver and has it applied, one state after the other. */
export interface ProviderRegistry {
  /** Starts the providers. Resolves when each has delivered or failed once and, if all have delivered, what they delivered was judged. */
  start(): Promise<void>;
  /** Applies the documents again, because something that they refer to has changed. Waits until every provider has delivered. */
  refresh(): Promise<Verdict>;
  state(): readonly ProviderState[];
  /** Closes the providers; resolves when what is being applied has been judged. */
  close(): Promise<void>;
}

export interface ProviderState {
  readonly name: string;
  /** The provider's word for its state in force; undefined before there is one. */
  readonly version: string | undefined;
  /** Its word for what it delivered last. If that is not in force, it was refused or waits for another provider's first delivery. */
  readonly delivered: string | undefined;
  /** How many problems what it delivered last was refused for. */
  readonly problems: number;
  /** Why the source cannot be read at the moment. */
  readonly failure: string | undefined;
}

export interface RegistryHost {
  /** Takes documents into use, all or none; called one at a time. */
  apply(documents: readonly SourceDocument[]): Promise<Verdict>;
  /** Told the verdict on a provider's delivery, also when it was refused before and is taken now that another provider has mended the cause. */
  judged(provider: string, verdict: Verdict): void;
  failed(provider: string, error: Error): void;
}

/**
 * How several providers make one configuration:
 *
 * - Nothing is applied until every provider has delivered once. A part of the configuration is not the configuration: with
 *   `unmatched: pass` the routes of a provider that is away would be open.
 * - A delivery is tried together with the latest of all others. If that is refused, it is tried with what is in force of the others, so
 *   that one provider's mistake stops nobody else. What was refused is kept and tried again with the next delivery of another provider: the
 *   order of deliveries does not matter in the end, and a restart would not lead to another configuration.
 * - Whoever is away or refused stays with what it has in force.
 *
 * Deliveries that come while others are judged are judged together afterwards, the newest of each provider. Documents are merged in the
 * order of `providers`.
 */
export function createProviderRegistry(providers: readonly Provider[], host: RegistryHost): ProviderRegistry {
  const sources = providers.map(createSource);
  const refreshes: Waiting[] = [];
  let judging: Promise<void> | undefined;

  return {
    async start() {
      for (const source of sources) source.provider.start(sinkOf(source)).catch((error: unknown) => failed(source, error));
      await Promise.all(sources.map(({ heard }) => heard.promise));
      await judging;
    },
    refresh() {
      const { promise, ...waiting } = Promise.withResolvers<Verdict>();
      refreshes.push(waiting);
      judgeIfComplete();
      return promise;
    },
    state: () => sources.map(stateOf),
    async close() {
      await Promise.all(providers.map((provider) => provider.close()));
      await judging;
    },
  };

  function sinkOf(source: Source): ProviderSink {
    return {
      update(documents, version) {
        const { promise, ...waiting } = Promise.withResolvers<Verdict>();
        source.failure = undefined;
        source.delivered = { documents, version };
        source.waiting.push(waiting);
        judgeIfComplete();
        source.heard.resolve();
        return promise;
      },
      failed: (error) => failed(source, error),
    };
  }

  function failed(source: Source, cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    source.failure = error.message;
    host.failed(source.provider.name, error);
    source.heard.resolve();
  }

  function judgeIfComplete(): void {
    const wanted = refreshes.length > 0 || sources.some(({ waiting }) => waiting.length > 0);
    if (!wanted || judging !== undefined || sources.some(({ delivered }) => delivered === undefined)) return;
    judging = judge().finally(() => {
      judging = undefined;
      judgeIfComplete();
    });
  }

  async function judge(): Promise<void> {
    const asking = new Map(sources.filter(({ waiting }) => waiting.length > 0).map((source) => [source, source.waiting.splice(0)]));
    const refreshing = refreshes.splice(0);
    try {
      const newest = choose(sources, latest);
      const together = await host.apply(merged(newest));
      if (together.kind !== "refused") tell(putInForce(newest), together, asking);
      for (const source of asking.keys()) {
        const alone = choose(sources, (one) => (one === source ? latest(one) : settled(one)));
        const verdict = isSame(alone, newest) ? together : await host.apply(merged(alone));
        if (verdict.kind === "refused") source.problems = verdict.problems.length;
        tell(verdict.kind === "refused" ? [source] : putInForce(alone), verdict, asking);
      }
      if (refreshing.length === 0) return;
      const kept = choose(sources, settled);
      const verdict = isSame(kept, newest) ? together : await host.apply(merged(kept));
      for (const { resolve } of refreshing) resolve(verdict);
    } catch (error) {
      for (const { reject } of [...[...asking.values()].flat(), ...refreshing]) reject(error);
    }
  }

  /** Tells those who asked, and those who did not but are in force only now. */
  function tell(judged: readonly Source[], verdict: Verdict, asking: Map<Source, readonly Waiting[]>): void {
    for (const source of judged) {
      host.judged(source.provider.name, verdict);
      for (const { resolve } of asking.get(source) ?? []) resolve(verdict);
      asking.delete(source);
    }
  }
}

interface Delivery {
  readonly documents: readonly SourceDocument[];
  readonly version: string;
}

type Waiting = Pick<PromiseWithResolvers<Verdict>, "resolve" | "reject">;

interface Source {
  readonly provider: Provider;
  /** Settled when the provider has delivered or failed for the first time. */
  readonly heard: PromiseWithResolvers<void>;
  /** Deliveries that wait for a verdict. */
  readonly waiting: Waiting[];
  delivered: Delivery | undefined;
  inForce: Delivery | undefined;
  problems: number;
  failure: string | undefined;
}

function createSource(provider: Provider): Source {
  const heard = Promise.withResolvers<void>();
  return { provider, heard, waiting: [], delivered: undefined, inForce: undefined, problems: 0, failure: undefined };
}

function stateOf({ provider, inForce, delivered, problems, failure }: Source): ProviderState {
  return { name: provider.name, version: inForce?.version, delivered: delivered?.version, problems, failure };
}

/** One delivery of each source. */
type Choice = ReadonlyMap<Source, Delivery>;

function choose(sources: readonly Source[], pick: (source: Source) => Delivery | undefined): Choice {
  const choice = new Map<Source, Delivery>();
  for (const source of sources) {
    const delivery = pick(source);
    if (delivery !== undefined) choice.set(source, delivery);
  }
  return choice;
}

const latest = (source: Source): Delivery | undefined => source.delivered;
const settled = (source: Source): Delivery | undefined => source.inForce ?? source.delivered;

function isSame(one: Choice, other: Choice): boolean {
  return [...one].every(([source, delivery]) => other.get(source) === delivery);
}

function merged(choice: Choice): readonly SourceDocument[] {
  return [...choice.values()].flatMap(({ documents }) => documents);
}

/** Returns the sources that have something else in force now. */
function putInForce(choice: Choice): readonly Source[] {
  const changed = [...choice].filter(([source, delivery]) => source.inForce !== delivery);
  for (const [source, delivery] of changed) {
    source.inForce = delivery;
    if (source.delivered === delivery) source.problems = 0;
  }
  return changed.map(([source]) => source);
}
