/** What the registry knows of one provider, and how deliveries of several become one configuration. */
import { createHash } from "node:crypto";
import type { DocumentOrigin, SourceDocument } from "../config/types.ts";
import type { Provider, Verdict } from "./provider.ts";
import { refusalText } from "./refusal-text.ts";
import type { ProviderState } from "./registry.ts";
import type { SavedSource } from "./saved-state.ts";
import type { DeliveryStatistics } from "./statistics.ts";

/** A provider, and what its documents may do. */
export interface Registration extends Omit<DocumentOrigin, "provider"> {
  readonly provider: Provider;
  /** Tells what it reads from, such as a hash of its paths. What is saved on disk is used again only for the same. */
  readonly reads: string;
}

export interface Delivery {
  readonly documents: readonly SourceDocument[];
  /** The provider's word for this state. */
  readonly version: string;
  /** SHA-256 over the documents, hex: providers may use one version for two states, and two versions for one. */
  readonly hash: string;
}

export type Waiting = Pick<PromiseWithResolvers<Verdict>, "resolve" | "reject">;

export interface Source extends Registration {
  readonly name: string;
  /** Settled when the provider has delivered or failed for the first time. */
  readonly heard: PromiseWithResolvers<void>;
  /** Deliveries that wait for a verdict. */
  readonly waiting: Waiting[];
  delivered: Delivery | undefined;
  inForce: Delivery | undefined;
  /** Hash of the delivery that somebody has rolled back from. */
  heldBack: string | undefined;
  /** On what it delivered last; undefined while that is not judged. */
  verdict: Verdict | undefined;
  failure: string | undefined;
  reportFailure: string | undefined;
}

export function createSource(registration: Registration): Source {
  return {
    ...registration,
    name: registration.provider.name,
    heard: Promise.withResolvers<void>(),
    waiting: [],
    delivered: undefined,
    inForce: undefined,
    heldBack: undefined,
    verdict: undefined,
    failure: undefined,
    reportFailure: undefined,
  };
}

export function createDelivery(documents: readonly SourceDocument[], version: string): Delivery {
  const hash = createHash("sha256");
  for (const { uri, text } of documents) hash.update(`${Buffer.byteLength(uri)}:${uri}${Buffer.byteLength(text)}:${text}`);
  return { documents, version, hash: hash.digest("hex") };
}

/** One delivery of each source, at most. */
export type Choice = ReadonlyMap<Source, Delivery>;

export function choose(sources: readonly Source[], pick: (source: Source) => Delivery | undefined): Choice {
  const choice = new Map<Source, Delivery>();
  for (const source of sources) {
    const delivery = pick(source);
    if (delivery !== undefined) choice.set(source, delivery);
  }
  return choice;
}

export const isHeld = ({ delivered, heldBack }: Source): boolean => delivered !== undefined && delivered.hash === heldBack;
export const latest = (source: Source): Delivery | undefined => (isHeld(source) ? source.inForce : (source.delivered ?? source.inForce));

export function isSame(one: Choice, other: Choice): boolean {
  return one.size === other.size && [...one].every(([source, delivery]) => other.get(source) === delivery);
}

/** What a verdict means for the delivery that it is on. */
export function outcomeOf(verdict: Verdict | undefined): DeliveryStatistics["outcome"] {
  switch (verdict?.kind) {
    case undefined:
      return "waiting";
    case "accepted":
    case "unchanged":
      return "in-use";
    case "held":
    case "refused":
      return verdict.kind;
    default:
      return verdict satisfies never;
  }
}

/** The documents of a choice, each with its origin, in the order of the sources. */
export function merged(choice: Choice): readonly SourceDocument[] {
  return [...choice].flatMap(([{ name, precedence, mayUseSecret }, { documents }]) => {
    const origin = { provider: name, precedence, mayUseSecret };
    return documents.map(({ uri, text }) => ({ uri, text, origin }));
  });
}

/** Returns the sources that have something else in force now. */
export function putInForce(choice: Choice): readonly Source[] {
  const changed = [...choice].filter(([source, delivery]) => source.inForce !== delivery);
  for (const [source, delivery] of changed) source.inForce = delivery;
  return changed.map(([source]) => source);
}

/**
 * What a source counts with when others deliver: the latest, so that what was refused is tried again, unless a policy of it hung. Each
 * delivery of anybody would wait for that policy once more.
 */
export const standing = (source: Source): Delivery | undefined => (hangs(source) ? (source.inForce ?? latest(source)) : latest(source));

function hangs({ verdict }: Source): boolean {
  return verdict?.kind === "refused" && verdict.problems.some(({ code }) => code === "policy-create-timeout");
}

/**
 * What others count with while one source is tried alone: what is in force of them, and nothing of a newcomer whose first delivery was refused.
 * Before anything is in force it is what they deliver: a part of the configuration is not the configuration.
 */
export function settled(sources: readonly Source[]): (source: Source) => Delivery | undefined {
  return isInForce(sources) ? ({ inForce }) => inForce : latest;
}

export function isInForce(sources: readonly Source[]): boolean {
  return sources.some(({ inForce }) => inForce !== undefined);
}

/** What is in force, to be saved. */
export function inForceOf(sources: readonly Source[]): readonly SavedSource[] {
  return sources.flatMap(({ name, reads, inForce, heldBack }) => {
    if (inForce === undefined) return [];
    const documents = inForce.documents.map(({ uri, text }) => ({ uri, text }));
    return [{ name, reads, version: inForce.version, documents, ...(heldBack === undefined ? {} : { heldBack }) }];
  });
}

/** What its own source may know of it. */
export function deliveryStatistics({ delivered, verdict }: Source): DeliveryStatistics | null {
  if (delivered === undefined) return null;
  const refusal = verdict?.kind === "refused" ? refusalText(verdict.problems) : null;
  return { version: delivered.version, outcome: outcomeOf(verdict), refusal };
}

/** What people may see of it. */
export function stateOf(source: Source): ProviderState {
  const { name, inForce, delivered, verdict, failure, reportFailure } = source;
  const from = inForce === undefined ? undefined : delivered === undefined ? "disk" : "provider";
  const problems = verdict?.kind === "refused" ? verdict.problems.length : 0;
  return { name, version: inForce?.version, delivered: delivered?.version, from, held: isHeld(source), problems, failure, reportFailure };
}
