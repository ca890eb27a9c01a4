import { createKeptGenerations, type KeptGenerations } from "./kept-generations.ts";
import type { ProviderSink, Verdict } from "./provider.ts";
import type { ProviderRegistry, RegistryHost, Rollback } from "./registry.ts";
import type { SavedState } from "./saved-state.ts";
import {
  type Choice,
  choose,
  createDelivery,
  createSource,
  deliveryStatistics,
  inForceOf,
  isHeld,
  isInForce,
  isSame,
  latest,
  putInForce,
  type Registration,
  type Source,
  settled,
  standing,
  stateOf,
  type Waiting,
} from "./source.ts";
import { type Asking, rejudge, tellVerdict, type VerdictHost } from "./tell-verdicts.ts";
import { createTrials } from "./trials.ts";

/** How long the start waits for providers that are slow when there is something saved to start from, milliseconds. */
const patienceMs = 3_000;

/**
 * How several providers make one configuration:
 *
 * - Nothing is applied until every provider has delivered once. A part of the configuration is not the configuration: with
 *   `unmatched: pass` the routes of a provider that is away would be open.
 * - A delivery is tried together with the latest of all others. If that is refused, it is tried with what is in force of the others, so
 *   that one provider's mistake stops nobody else. What was refused is kept and tried again with the next delivery of another provider: the
 *   order of deliveries does not matter in the end, and a restart would not lead to another configuration. Only what a hanging policy was
 *   refused for waits for its own provider, or for a secret to change.
 * - Whoever is away or refused stays with what it has in force. Whoever was refused is told when that is no longer so.
 * - When the start leads to nothing, because a provider is away or what they deliver is refused, what was saved is taken into use, whole:
 *   the generation that was in use last. From there on the rules above hold. Without an exact match of names and sources it is not used.
 * - A rollback takes the documents of an earlier generation into use, with the secrets of today, and holds back what each provider has
 *   delivered since: by content, so that neither the same state under another version nor a restart of anybody brings it back. A provider is
 *   free again with the first delivery that differs; the others stay where they are. Rolling forward to the newest generation frees all.
 *
 * Deliveries that come while others are judged are judged together afterwards, the newest of each provider. What one of them replaces may be
 * given up then, and is judged no more: its verdict is the one on what has replaced it. A rollback may cut in likewise.
 *
 * Which definition counts where two providers define the same is said by their precedence.
 */
export function createProviderRegistry(
  registrations: readonly Registration[],
  host: RegistryHost,
  saved: SavedState | undefined,
): ProviderRegistry {
  const sources = registrations.map(createSource);
  const kept: KeptGenerations<Choice> = createKeptGenerations(host.now);
  const trials = createTrials(host, kept);
  const verdictHost: VerdictHost = { judged: host.judged, rejudged };
  /** Sources whose last delivery is still to be judged. */
  const pending = new Set<Source>();
  const refreshes: Waiting[] = [];
  let queue: Promise<unknown> = Promise.resolve();
  let judgeWanted = false;
  let closed = false;

  return {
    async start() {
      // Somebody has rolled back: what providers deliver at the start may be what was rolled back from.
      if (saved?.sources.some(({ heldBack }) => heldBack !== undefined)) await run(() => restore(saved));
      for (const source of sources) startSource(source);
      await everybodyHeard();
      await queue;
      if (saved !== undefined) await run(() => restore(saved));
    },
    async register(registration) {
      const { name } = registration.provider;
      if (sources.some((source) => source.name === name))
        throw new Error(`there is a provider \`${name}\` already; give this one another name`);
      const source = createSource(registration);
      sources.push(source);
      startSource(source);
      await source.heard.promise;
      await queue;
    },
    unregister: (name) => runSoon(() => remove(name)),
    refresh() {
      const { promise, ...waiting } = Promise.withResolvers<Verdict>();
      refreshes.push(waiting);
      wantJudgement();
      return promise;
    },
    rollback: (generation) => runSoon(() => rollback(generation)),
    kept: kept.list,
    state: () => sources.map(stateOf),
    async close() {
      closed = true;
      trials.cutIn();
      await Promise.all(sources.map(({ provider }) => provider.close()));
      await queue;
      for (const { waiting } of sources) for (const { reject } of waiting.splice(0)) reject(new Error("the engine has stopped"));
    },
  };

  /** One task at a time, in the order in which they were asked for. */
  function run<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = queue.then(task);
    queue = result.catch(() => {});
    return result;
  }

  /** Does not wait for policies that hang. */
  function runSoon<Result>(task: () => Promise<Result>): Promise<Result> {
    const begin = trials.cutIn();
    return run(() => {
      begin();
      return task();
    });
  }

  async function everybodyHeard(): Promise<void> {
    const heard = Promise.all(sources.map((source) => source.heard.promise));
    if (saved === undefined) return void (await heard);
    const { promise: impatient, resolve } = Promise.withResolvers<void>();
    const stopTimer = host.startTimer(patienceMs, resolve);
    await Promise.race([heard, impatient]);
    stopTimer();
  }

  function startSource(source: Source): void {
    source.provider.start(sinkOf(source)).catch((error: unknown) => failed(source, error));
  }

  function sinkOf(source: Source): ProviderSink {
    return {
      update(documents, version) {
        const { promise, ...waiting } = Promise.withResolvers<Verdict>();
        source.failure = undefined;
        trials.replacing(source);
        source.delivered = createDelivery(documents, version);
        source.verdict = undefined;
        if (!isHeld(source)) source.heldBack = undefined;
        source.waiting.push(waiting);
        pending.add(source);
        wantJudgement();
        source.heard.resolve();
        return promise;
      },
      waiting: () => source.heard.resolve(),
      failed: (error) => failed(source, error),
      statistics: () => host.statistics(source.name, deliveryStatistics(source), kept.list()),
      reported(failure) {
        if (failure !== undefined && failure.message !== source.reportFailure) host.reportFailed(source.name, failure);
        source.reportFailure = failure?.message;
      },
    };
  }

  function failed(source: Source, cause: unknown): void {
    if (closed) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (source.failure !== error.message) host.failed(source.name, error);
    source.failure = error.message;
    source.heard.resolve();
  }

  function rejudged(source: Source, verdict: Verdict): void {
    if (closed) return;
    try {
      source.provider.rejudged?.(verdict);
    } catch (error) {
      failed(source, error);
    }
  }

  function wantJudgement(): void {
    if (judgeWanted) return;
    judgeWanted = true;
    run(() => {
      judgeWanted = false;
      return judge();
    }).catch(() => {});
  }

  async function judge(): Promise<void> {
    if (!isInForce(sources) && sources.some(({ delivered }) => delivered === undefined)) return;
    const asking: Asking = new Map([...pending].map((source) => [source, source.waiting.splice(0)]));
    pending.clear();
    const refreshing = refreshes.splice(0);
    try {
      tellHeld(asking);
      if (asking.size === 0 && refreshing.length === 0) return;
      const newest = choose(sources, (one) => (asking.has(one) || refreshing.length > 0 ? latest(one) : standing(one)));
      const together = await trials.attempt(newest, refreshing.length > 0 ? "refresh" : "delivery");
      if (together.kind === "superseded") return judgeAgain(asking, refreshing);
      if (together.kind !== "refused") tell(putInForce(newest), newest, together, asking);
      for (const source of asking.keys()) {
        const others = settled(sources);
        const alone = choose(sources, (one) => (one === source ? latest(one) : others(one)));
        const verdict = isSame(alone, newest) ? together : await trials.attempt(alone, "delivery");
        if (verdict.kind === "superseded") return judgeAgain(asking, refreshing);
        tell(verdict.kind === "refused" ? [source] : putInForce(alone), alone, verdict, asking);
      }
      if (refreshing.length === 0) return;
      const inForce = choose(sources, settled(sources));
      const verdict = isSame(inForce, newest) ? together : await trials.attempt(inForce, "refresh");
      if (verdict.kind === "superseded") return judgeAgain(asking, refreshing);
      for (const { resolve } of refreshing) resolve(verdict);
    } catch (error) {
      for (const { reject } of [...[...asking.values()].flat(), ...refreshing]) reject(error);
    }
  }

  /** With what has come meanwhile; whoever waits for a verdict goes on waiting. */
  function judgeAgain(asking: Asking, refreshing: readonly Waiting[]): void {
    for (const [source, waiting] of asking) {
      source.waiting.unshift(...waiting);
      pending.add(source);
    }
    refreshes.unshift(...refreshing);
    if (!closed) wantJudgement();
  }

  function tell(judged: readonly Source[], choice: Choice, verdict: Verdict, asking: Asking): void {
    tellVerdict(judged, choice, verdict, asking, verdictHost);
    if (verdict.kind !== "refused") host.settled(inForceOf(sources));
  }

  function tellHeld(asking: Asking): void {
    const verdict: Verdict = { kind: "held", generation: kept.newest() };
    const held = [...asking.keys()].filter(isHeld);
    const choice = choose(held, ({ delivered }) => delivered);
    if (held.length > 0) tell(held, choice, verdict, asking);
  }

  async function restore(saved: SavedState): Promise<void> {
    if (isInForce(sources)) return;
    const bySource = new Map(saved.sources.map((one) => [one.name, one]));
    const choice = choose(sources, ({ name }) => {
      const one = bySource.get(name);
      return one && createDelivery(one.documents, one.version);
    });
    const verdict = await trials.apply(choice, "disk");
    host.restored(saved, verdict);
    if (verdict.kind === "refused") return;
    putInForce(choice);
    for (const source of sources) {
      source.heldBack = bySource.get(source.name)?.heldBack;
      if (source.delivered !== undefined) pending.add(source);
    }
    wantJudgement();
  }

  async function rollback(generation: number): Promise<Rollback> {
    const choice = kept.find(generation);
    if (choice === undefined) return { kind: "unknown", kept: kept.list() };
    const before = new Map(sources.map((source) => [source, source.delivered]));
    const verdict = await trials.apply(choice, "rollback");
    if (verdict.kind !== "accepted") return verdict;
    for (const source of sources) {
      source.inForce = choice.get(source);
      const { delivered } = source;
      // What came while the rollback was under way is new.
      const isBack = delivered !== undefined && delivered === before.get(source) && delivered.hash !== source.inForce?.hash;
      source.heldBack = isBack ? delivered.hash : undefined;
      if (delivered !== before.get(source) || pending.has(source)) continue;
      if (isBack) rejudge(source, { kind: "held", generation: verdict.generation }, verdictHost);
      else if (delivered !== undefined) rejudge(source, verdict, verdictHost);
    }
    host.settled(inForceOf(sources));
    return verdict;
  }

  async function remove(name: string): Promise<Verdict | undefined> {
    const source = sources.find((one) => one.name === name);
    if (source === undefined) throw new Error(`there is no provider \`${name}\``);
    const rest = sources.filter((one) => one !== source);
    const verdict = source.inForce && (await trials.apply(choose(rest, settled(sources)), "delivery"));
    if (verdict?.kind === "refused") return verdict;
    sources.splice(0, sources.length, ...rest);
    pending.delete(source);
    kept.forget((choice) => choice.has(source));
    await source.provider.close();
    source.heard.resolve();
    for (const { reject } of source.waiting) reject(new Error(`the provider \`${name}\` was taken out`));
    if (verdict !== undefined) host.settled(inForceOf(sources));
    // It may have been the reason.
    for (const other of sources) if (other.verdict?.kind === "refused") pending.add(other);
    wantJudgement();
    return verdict;
  }
}
