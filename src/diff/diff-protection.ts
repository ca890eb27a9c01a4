/** What no longer keeps somebody out as it did, route by route. */
import { showUnmatched } from "../config/shown-config.ts";
import type { CheckedConfig, CheckedStep } from "../config/types.ts";

/** A loss and where it is felt. */
export interface ProtectionChange {
  readonly loss: ProtectionLoss;
  /** Names of routes; undefined for those that the configuration does not know. */
  readonly routes: readonly string[] | undefined;
}

export type ProtectionLoss =
  /** A step of a policy that protects is gone. */
  | { readonly kind: "removed"; readonly step: string; readonly policy: string }
  /** It runs under another condition, or under one at all. */
  | { readonly kind: "condition"; readonly step: string; readonly policy: string; readonly from?: string; readonly to: string }
  /** It may be passed over. */
  | { readonly kind: "skip"; readonly step: string; readonly policy: string; readonly setting: "onError" | "onUpgrade" | "onStream" }
  /** What was denied goes on now: to a chain, or as it is. */
  | { readonly kind: "opened"; readonly to: string };

/** A route that is not named any more counts as what it has become: unmatched. */
export function diffProtection(from: CheckedConfig, to: CheckedConfig): readonly ProtectionChange[] {
  const routes = [...new Set([...from.routes.keys(), ...to.routes.keys()])].sort();
  const moves = Map.groupBy(routes, (route) => JSON.stringify([from, to].map((config) => targetOf(config, route))));
  const ofRoutes = [...moves.values()].flatMap((moved) =>
    lossesBetween(from, targetOf(from, moved[0]), to, targetOf(to, moved[0])).map((loss) => ({ loss, routes: moved })),
  );
  return [...ofRoutes, ...lossesOfUnmatched(from, to).map((loss) => ({ loss, routes: undefined }))];
}

/** Where requests go: to a chain by its name, `deny`, `pass`. */
function targetOf({ routes, unmatched }: CheckedConfig, route: string | undefined): string {
  return route !== undefined && routes.has(route) ? (routes.get(route) ?? "pass") : showUnmatched(unmatched);
}

function lossesOfUnmatched(from: CheckedConfig, to: CheckedConfig): readonly ProtectionLoss[] {
  const [before, after] = [targetOf(from, undefined), targetOf(to, undefined)];
  if (before === "deny" && after !== "deny") return [{ kind: "opened", to: after }];
  return lossesBetween(from, before, to, after);
}

function lossesBetween(from: CheckedConfig, before: string, to: CheckedConfig, after: string): readonly ProtectionLoss[] {
  if (after === "deny") return [];
  const counterparts = pair(protecting(from.chains.get(before)?.steps), protecting(to.chains.get(after)?.steps));
  return counterparts.flatMap(([step, counterpart]) =>
    counterpart === undefined ? [{ kind: "removed", ...named(step) } as const] : weakenings(step, counterpart),
  );
}

function protecting(steps: readonly CheckedStep[] = []): readonly CheckedStep[] {
  return steps.filter(({ release }) => release.manifest.protects);
}

/** Each step with one of the same policy, in any version, that takes its place: of the same name if there is one, else one that is left. */
function pair(from: readonly CheckedStep[], to: readonly CheckedStep[]): readonly (readonly [CheckedStep, CheckedStep | undefined])[] {
  const left = new Set(to);
  const take = (step: CheckedStep, fits: (candidate: CheckedStep) => boolean): CheckedStep | undefined => {
    const found = [...left].find((candidate) => candidate.release.manifest.name === step.release.manifest.name && fits(candidate));
    if (found !== undefined) left.delete(found);
    return found;
  };
  const named = new Map(from.map((step) => [step, take(step, ({ name }) => name === step.name)]));
  return from.map((step) => [step, named.get(step) ?? take(step, () => true)]);
}

function weakenings(from: CheckedStep, to: CheckedStep): readonly ProtectionLoss[] {
  const [before, after] = [from.when?.text, to.when?.text];
  const conditions: readonly ProtectionLoss[] =
    after === undefined || after === before
      ? []
      : [{ kind: "condition", ...named(to), ...(before !== undefined && { from: before }), to: after }];
  const settings = (["onError", "onUpgrade", "onStream"] as const).filter((setting) => from[setting] === "deny" && to[setting] === "skip");
  return [...conditions, ...settings.map((setting) => ({ kind: "skip", ...named(to), setting }) as const)];
}

function named({ name, release: { manifest } }: CheckedStep): { readonly step: string; readonly policy: string } {
  return { step: name, policy: `${manifest.name}@${manifest.version}` };
}
