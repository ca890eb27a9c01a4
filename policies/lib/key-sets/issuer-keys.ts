/**
 * Keys behind a URI. What must hold, whatever the issuer does: a token that was valid a moment ago stays valid while the issuer is away (up to
 * the stale bound), a key that the issuer has just begun to use works at once, and no stranger can make the engine ask the issuer often.
 */
import { Buffer } from "node:buffer";
import type { SharedContext } from "@envoy-policy-engine/sdk";
import type { KeySet, LookUp } from "./key-set.ts";
import { type KeyTable, parseKeyTable, type WantedKey } from "./key-table.ts";
import { createPatience } from "./patience.ts";
import { createRecentlyUnknown } from "./recently-unknown.ts";
import { createBudget } from "./refresh-budget.ts";

export interface IssuerSource {
  readonly uri: string;
  readonly ca: string | undefined;
  /** How old keys may be before they are fetched again. */
  readonly refreshMs: number;
  /** How old keys may be before they are not used any more. */
  readonly staleMs: number;
}

const bodyBytesMax = 512 * 1024;
/** How long a request waits for the issuer: below the default timeout of a step, so that the answer is the policy's and not a 504. */
const waitMsMax = 750;
const backOffMs = { first: 1_000, most: 60_000 };
/** Refreshes that requests with unknown keys can cause. */
const missLimits = { burst: 5, refillMs: 10_000 };
/**
 * How long a key that the issuer did not have is not asked for again: no longer than the budget needs for one more question. So whoever knows
 * the next kid before it is published and asks for it again and again holds it up no longer than any other flood.
 */
const unknownLimits = { entriesMax: 1_000, keptMs: missLimits.refillMs };

export function openIssuerKeys(source: IssuerSource, context: SharedContext): KeySet {
  const budget = createBudget(missLimits, context.now);
  const unknown = createRecentlyUnknown(unknownLimits, context.now);
  const patience = createPatience(waitMsMax, context);
  let table: KeyTable | undefined;
  /** When the fetch that brought the table began. */
  let fetchedAt = 0;
  let failures = 0;
  let lastFault = "";
  let nextAt = context.now();
  let cancelNext = (): void => {};
  /** How many fetches have begun. */
  let begun = 0;
  let flight: Promise<void> | undefined;

  const usable = (): KeyTable | undefined => (table !== undefined && context.now() - fetchedAt < source.staleMs ? table : undefined);

  /** One at a time; never rejects. */
  const refresh = (): Promise<void> => {
    if (flight !== undefined) return flight;
    cancelNext();
    begun += 1;
    flight = fetchKeys().finally(() => {
      flight = undefined;
    });
    return flight;
  };

  const fetchKeys = async (): Promise<void> => {
    const startedAt = context.now();
    try {
      const next = await fetchTable(source, context, table);
      if (next.ignored.length > 0 && next.ignored.join() !== table?.ignored.join()) {
        context.log.warn({ ignored: next.ignored }, "keys of the issuer are not used");
      }
      if (failures > 0) context.log.info({ failures, keys: next.size }, "the issuer's keys can be fetched again");
      table = next;
      fetchedAt = startedAt;
      failures = 0;
      // Not all engines at the same moment.
      schedule(source.refreshMs * (0.9 + 0.1 * context.random()));
    } catch (error) {
      failures += 1;
      lastFault = error instanceof Error ? error.message : String(error);
      const delayMs = Math.min(backOffMs.first * 2 ** (failures - 1), backOffMs.most, source.refreshMs) * (0.5 + 0.5 * context.random());
      context.log.warn(
        { failures, err: error, retryMs: Math.round(delayMs), usable: usable() !== undefined },
        "the issuer's keys could not be fetched",
      );
      schedule(delayMs);
    }
  };

  const schedule = (delayMs: number): void => {
    nextAt = context.now() + delayMs;
    cancelNext = context.after(delayMs, refresh);
  };

  const found = (wanted: WantedKey): LookUp | undefined => {
    const keys = usable()?.find(wanted) ?? [];
    return keys.length > 0 ? { kind: "found", keys } : undefined;
  };

  const missed = (): LookUp => {
    if (usable() !== undefined)
      return { kind: "unknown", reason: failures === 0 ? "the issuer has no such key" : `no such key; ${state()}` };
    return { kind: "not-ready", retryAfterSeconds: Math.max(1, Math.ceil((nextAt - context.now()) / 1000)), reason: state() };
  };

  /** Whether the issuer may be asked on the demand of this request. */
  const mayAsk = (wanted: WantedKey): boolean => usable() === undefined || (!unknown.has(wanted) && budget.take());

  const search = async (wanted: WantedKey): Promise<LookUp> => {
    const before = begun;
    for (;;) {
      if (flight === undefined && !mayAsk(wanted)) return missed();
      const answer = refresh();
      const joined = begun;
      await answer;
      const now = found(wanted);
      if (now !== undefined) return now;
      // A fetch that had begun before the question may have been answered before the key was there.
      if (joined === before && failures === 0) continue;
      if (failures === 0) unknown.add(wanted);
      return missed();
    }
  };

  const state = (): string => {
    const age = Math.round((context.now() - fetchedAt) / 1000);
    const keys =
      table === undefined
        ? "no keys yet"
        : usable() === undefined
          ? `keys ${age} s old, too old to be used`
          : `${table.size} keys, ${age} s old`;
    return failures === 0 ? keys : `${keys}; ${failures} refreshes in a row failed, the last with: ${lastFault}`;
  };

  void refresh();
  return {
    lookUp(wanted) {
      const now = found(wanted);
      if (now !== undefined) return now;
      // One that does not answer is left alone until its back-off is over.
      if (failures > 0 || (flight === undefined && usable() !== undefined && unknown.has(wanted))) return missed();
      return patience.wait(search(wanted), missed);
    },
    holds: (key) => usable()?.holds(key) ?? false,
    health: () => ({
      ready: usable() !== undefined,
      detail: state(),
      ...(table === undefined ? {} : { ageSeconds: Math.max(0, (context.now() - fetchedAt) / 1000) }),
    }),
  };
}

async function fetchTable({ uri, ca }: IssuerSource, context: SharedContext, before: KeyTable | undefined): Promise<KeyTable> {
  const response = await context.fetch("jwks", uri, {
    headers: { accept: "application/jwk-set+json, application/json" },
    bodyBytesMax,
    ...(ca === undefined ? {} : { ca }),
  });
  if (response.status !== 200) throw new Error(`the issuer answered ${response.status}`);
  const body = Buffer.from(await response.arrayBuffer());
  if (body.length > bodyBytesMax) throw new Error(`the key set is larger than ${bodyBytesMax} bytes`);
  return parseKeyTable(body.toString("utf8"), before);
}
