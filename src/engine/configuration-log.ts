/** What becomes of configuration, as lines for people. */
import type { Problem } from "../errors.ts";
import type { Log } from "../observe/log.ts";
import type { Verdict } from "../providers/provider.ts";
import type { Rollback } from "../providers/registry.ts";
import type { SavedState } from "../providers/saved-state.ts";

/** @param warnings of the generation in use */
export function logVerdict(log: Log, provider: string, verdict: Verdict, warnings: readonly Problem[]): void {
  switch (verdict.kind) {
    case "accepted":
      log.info({ provider, generation: verdict.generation, hash: verdict.hash }, "new generation in use");
      for (const warning of warnings) log.warn({ provider, ...problemFacts(warning) }, "the configuration has a warning");
      return;
    case "unchanged":
      log.debug({ provider, generation: verdict.generation }, "nothing has changed");
      return;
    case "held":
      log.warn({ provider, generation: verdict.generation }, "held back: somebody has rolled back from this state of the provider");
      return;
    case "refused":
      log.error({ provider, problems: verdict.problems.map(problemFacts) }, "configuration refused: the running generation stays");
      return;
    default:
      return verdict satisfies never;
  }
}

export function logGivenUp(log: Log, problems: readonly Problem[]): void {
  log.warn({ problems: problems.map(problemFacts) }, "a configuration that was given up for a newer one would have been refused");
}

export function logRestored(log: Log, saved: SavedState, verdict: Verdict): void {
  const facts = { savedGeneration: saved.generation, hash: saved.hash, savedAt: new Date(saved.since).toISOString() };
  if (verdict.kind !== "refused")
    return log.warn({ ...facts, generation: verdict.generation }, "started from the last good generation on disk");
  log.error({ ...facts, problems: verdict.problems.map(problemFacts) }, "the last good generation on disk is refused by this engine");
}

export function logRollback(log: Log, to: number, reason: string | undefined, rollback: Rollback): void {
  const facts = { to, reason, verdict: rollback.kind };
  if (rollback.kind === "accepted") log.warn({ ...facts, generation: rollback.generation, hash: rollback.hash }, "rolled back");
  else log.warn(facts, "a rollback changed nothing");
}

export function problemFacts({ code, severity, message, remedy, position, path }: Problem): Readonly<Record<string, unknown>> {
  return { code, severity, at: `${position.uri}:${position.line}:${position.column}`, path, message, remedy };
}
