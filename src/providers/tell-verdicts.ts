/** Who is told what became of a choice. */
import type { Verdict } from "./provider.ts";
import type { RegistryHost } from "./registry.ts";
import { type Choice, outcomeOf, type Source, type Waiting } from "./source.ts";

/** Deliveries that are being judged, with those who wait for the verdict on each. */
export type Asking = Map<Source, readonly Waiting[]>;

export interface VerdictHost extends Pick<RegistryHost, "judged"> {
  /** See `Provider.rejudged`. */
  rejudged(source: Source, verdict: Verdict): void;
}

/** Tells those who asked, and takes them out of `asking`; and those who did not ask, but for whom the verdict is another one now. */
export function tellVerdict(judged: readonly Source[], choice: Choice, verdict: Verdict, asking: Asking, host: VerdictHost): void {
  for (const source of judged) {
    host.judged(source.name, verdict);
    const waiting = asking.get(source) ?? [];
    asking.delete(source);
    for (const { resolve } of waiting) resolve(verdict);
    // What has come since is judged for itself.
    if (choice.get(source) !== source.delivered) continue;
    if (waiting.length === 0) rejudge(source, verdict, host);
    else source.verdict = verdict;
  }
}

/** For a verdict that no `update` waits for. */
export function rejudge(source: Source, verdict: Verdict, host: VerdictHost): void {
  const isNews = outcomeOf(source.verdict) !== outcomeOf(verdict);
  source.verdict = verdict;
  if (isNews) host.rejudged(source, verdict);
}
