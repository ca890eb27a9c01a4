/** What is odd about a configuration and can be told only of its bound chains: warnings. */
import { unusedAcknowledgement } from "../config/acknowledgements.ts";
import { keyPath } from "../config/node.ts";
import type { CheckedChain, CheckedConfig } from "../config/types.ts";
import { type ErrorCode, type Problem, problem } from "../errors.ts";
import { bodyUse, bodyUseOf, type Chain } from "../worker/chain.ts";

export function checkBound(config: CheckedConfig, chains: ReadonlyMap<string, Chain>): readonly Problem[] {
  return [...config.chains.values()].flatMap((checked) => {
    const chain = chains.get(checked.name);
    if (chain === undefined) return [];
    const limits = checkLimit(checked, chain);
    return limitCodes.flatMap((code) =>
      acknowledged(
        checked,
        code,
        limits.filter((found) => found.code === code),
      ),
    );
  });
}

const limitCodes = ["body-limit-unused", "body-limit-zero"] as const;

/** A chain's own limit, beside what its steps do with bodies. */
function checkLimit({ name, bodyBytesMax, position }: CheckedChain, chain: Chain): readonly Problem[] {
  if (bodyBytesMax === undefined) return [];
  const where = { position, path: keyPath("chains", name) };
  const uses = (["request", "response"] as const).map((phase) => bodyUseOf(chain.steps, phase));
  if (uses.every((use) => use === "none")) return [problem("body-limit-unused", where, { chain: name })];
  const waiting = chain.steps.find((step) => bodyUse(step, "request") === "buffered" || bodyUse(step, "response") === "buffered");
  return bodyBytesMax === 0 && waiting !== undefined ? [problem("body-limit-zero", where, { chain: name, step: waiting.name })] : [];
}

/** What is left of findings of one code, and of their acknowledgement. */
function acknowledged(chain: CheckedChain, code: ErrorCode, found: readonly Problem[]): readonly Problem[] {
  const accepted = chain.acknowledged.filter((acknowledgement) => acknowledgement.code === code);
  if (found.length === 0) return accepted.map(unusedAcknowledgement);
  return accepted.length > 0 ? [] : found;
}
