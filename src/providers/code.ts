import type { SourceDocument } from "../config/types.ts";
import type { Provider, ProviderSink, Verdict } from "./provider.ts";
import type { ProviderStatistics } from "./statistics.ts";

export interface CodeProvider extends Provider {
  /**
   * Replaces what this provider has delivered. Resolves with the verdict; the first one waits until every other provider has delivered.
   * Rejects when the engine is not running.
   *
   * @param version the program's own word for this state, shown in logs; it decides nothing
   */
  push(documents: readonly SourceDocument[], version: string): Promise<Verdict>;
  /** What has become of what was pushed; undefined while no generation is in use. */
  statistics(): ProviderStatistics | undefined;
}

/**
 * Configuration from the program that the engine is a part of.
 *
 * @param rejudged told when the verdict on what was pushed last is another one than `push` has resolved with; default: nobody is told
 */
export function codeProvider(name: string, rejudged: (verdict: Verdict) => void = () => {}): CodeProvider {
  let sink: ProviderSink | undefined;
  return {
    name,
    async start(given) {
      sink = given;
      given.waiting();
    },
    rejudged,
    statistics: () => sink?.statistics(),
    async close() {
      sink = undefined;
    },
    async push(documents, version) {
      if (sink === undefined) throw new Error(`the engine that the provider \`${name}\` belongs to is not running`);
      return sink.update(documents, version);
    },
  };
}
