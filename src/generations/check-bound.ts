/** What is odd about a configuration and can be told only of its bound chains: warnings. */
import { unusedAcknowledgement } from "../config/acknowledgements.ts";
import { keyPath } from "../config/node.ts";
import type { CheckedChain, CheckedConfig } from "../config/types.ts";
import { type ErrorCode, type Problem, problem } from "../errors.ts";
import { bodyUseOf, type Chain } from "../worker/chain.ts";

export function checkBound(config: CheckedConfig, chains: ReadonlyMap<string, Chain>): readonly Problem[] {
  return [...config.chains.values()].flatMap((checked) => {
    const chain = chains.get(checked.name);
    return chain === undefined ? [] : acknowledged(checked, "body-limit-unused", unusedLimit(checked, chain));
  });
}

function unusedLimit({ name, bodyBytesMax, position }: CheckedChain, chain: Chain): readonly Problem[] {
  const used = (["request", "response"] as const).some((phase) => bodyUseOf(chain.steps, phase) !== "none");
  if (bodyBytesMax === undefined || used) return [];
  return [problem("body-limit-unused", { position, path: keyPath("chains", name) }, { chain: name })];
}

/** What is left of findings of one code, and of their acknowledgement. */
function acknowledged(chain: CheckedChain, code: ErrorCode, found: readonly Problem[]): readonly Problem[] {
  const accepted = chain.acknowledged.filter((acknowledgement) => acknowledgement.code === code);
  if (found.length === 0) return accepted.map(unusedAcknowledgement);
  return accepted.length > 0 ? [] : found;
}
