/** What has changed about chains. */
import { type ShownChain, showChain } from "../config/shown-config.ts";
import type { CheckedChain } from "../config/types.ts";
import { diffSteps, type StepChange } from "./diff-steps.ts";
import { diffValues, type ValueChange } from "./diff-values.ts";

/** A chain that is switched off counts as gone. */
export type ChainChange =
  | { readonly kind: "added" | "removed"; readonly chain: string; readonly definition: ShownChain }
  /** `changes` are those of the chain itself, such as `bodyBytesMax`. */
  | { readonly kind: "changed"; readonly chain: string; readonly changes: readonly ValueChange[]; readonly steps: readonly StepChange[] };

type Chains = ReadonlyMap<string, CheckedChain>;

export function diffChains(from: Chains, to: Chains): readonly ChainChange[] {
  const names = [...new Set([...from.keys(), ...to.keys()])].sort();
  return names.flatMap((chain) => diffChain(chain, from.get(chain), to.get(chain)));
}

function diffChain(chain: string, from: CheckedChain | undefined, to: CheckedChain | undefined): readonly ChainChange[] {
  if (to === undefined) return from === undefined ? [] : [{ kind: "removed", chain, definition: showChain(from) }];
  if (from === undefined) return [{ kind: "added", chain, definition: showChain(to) }];
  const changes = diffValues("", withoutSteps(from), withoutSteps(to));
  const steps = diffSteps(from.steps, to.steps);
  return changes.length + steps.length === 0 ? [] : [{ kind: "changed", chain, changes, steps }];
}

function withoutSteps(chain: CheckedChain): Omit<ShownChain, "steps"> {
  const { steps: _, ...others } = showChain(chain);
  return others;
}
