import type { SourceDocument } from "../config/types.ts";
import type { Provider, Verdict } from "./provider.ts";

/** Merges what the providers deliver and has it applied, one state after the other. */
export interface ProviderRegistry {
  /** Starts the providers and resolves when each has delivered once or failed, and what there is was judged. */
  start(): Promise<void>;
  /** Applies the documents again, because something that they refer to has changed. */
  refresh(): Promise<Verdict>;
  state(): readonly ProviderState[];
  close(): Promise<void>;
}

export interface ProviderState {
  readonly name: string;
  /** The provider's word for its latest accepted state; undefined before there is one. */
  readonly version: string | undefined;
  /** Why the source cannot be read at the moment. */
  readonly failure: string | undefined;
}

export interface RegistryHost {
  /** Takes documents into use; called one at a time. */
  apply(documents: readonly SourceDocument[]): Promise<Verdict>;
  judged(provider: string, verdict: Verdict): void;
  failed(provider: string, error: Error): void;
}

interface Delivery {
  readonly documents: readonly SourceDocument[];
  readonly version: string;
}

/**
 * A refused delivery is not kept: what another provider delivers next is merged with this one's last accepted documents, so that one
 * provider's mistake stops nobody else. Until every provider has delivered or failed once, nothing is applied: a part of the configuration
 * is not the configuration.
 */
export function createProviderRegistry(providers: readonly Provider[], host: RegistryHost): ProviderRegistry {
  const accepted = new Map<string, Delivery>();
  const failures = new Map<string, string>();
  /** First deliveries that wait for the other providers. */
  const waiting = new Map<string, Delivery>();
  const heard = new Set<string>();
  let started: Promise<Verdict> | undefined;
  let everybodyHeard = (): void => {};
  const all = new Promise<void>((resolve) => {
    everybodyHeard = resolve;
  });
  let turn: Promise<unknown> = Promise.resolve();

  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = turn.then(work);
    turn = result.catch(() => {});
    return result;
  };

  const merged = (deliveries: ReadonlyMap<string, Delivery>): readonly SourceDocument[] =>
    providers.flatMap(({ name }) => deliveries.get(name)?.documents ?? []);

  const tryOut = (candidates: ReadonlyMap<string, Delivery>): Promise<Verdict> =>
    inTurn(async () => {
      const deliveries = new Map([...accepted, ...candidates]);
      const verdict = await host.apply(merged(deliveries));
      if (verdict.kind !== "refused") for (const [name, delivery] of candidates) accepted.set(name, delivery);
      return verdict;
    });

  const hear = (name: string): void => {
    heard.add(name);
    if (heard.size === providers.length) everybodyHeard();
  };

  const update = async (name: string, delivery: Delivery): Promise<Verdict> => {
    failures.delete(name);
    let verdict: Verdict;
    if (started === undefined) {
      waiting.set(name, delivery);
      hear(name);
      await all;
      started ??= tryOut(new Map(waiting));
      verdict = await started;
    } else {
      // A first delivery that is still being judged comes before.
      await started;
      verdict = await tryOut(new Map([[name, delivery]]));
    }
    host.judged(name, verdict);
    return verdict;
  };

  return {
    async start() {
      await Promise.all(
        providers.map((provider) =>
          provider.start({
            update: (documents, version) => update(provider.name, { documents, version }),
            failed: (error) => {
              failures.set(provider.name, error.message);
              host.failed(provider.name, error);
              hear(provider.name);
            },
          }),
        ),
      );
    },
    refresh: () => tryOut(new Map()),
    state: () => providers.map(({ name }) => ({ name, version: accepted.get(name)?.version, failure: failures.get(name) })),
    async close() {
      await Promise.all(providers.map((provider) => provider.close()));
    },
  };
}
