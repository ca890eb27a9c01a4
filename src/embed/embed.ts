/**
 * The engine as a part of another program: the program pushes configuration and learns the verdict. Everything else is as with
 * `policy-engine serve`.
 */
import type { TcpAddress } from "../config/addresses.ts";
import { formatProblems } from "../config/problems.ts";
import { parseSettings } from "../config/settings.ts";
import type { DocumentOrigin, PolicyRegistry, SourceDocument } from "../config/types.ts";
import { startEngine } from "../main.ts";
import { codeProvider } from "../providers/code.ts";
import type { KeptGeneration } from "../providers/kept-generations.ts";
import type { Provider, Verdict } from "../providers/provider.ts";
import type { ProviderState, Rollback } from "../providers/registry.ts";
import type { ProviderStatistics } from "../providers/statistics.ts";

export interface EmbedOptions {
  /** How the engine runs, as in a settings file, where `providers` may be missing. */
  readonly settings: SourceDocument;
  /** Absolute: where the relative paths of the settings start. */
  readonly directory: string;
  /** The policies that chains can name, such as `policies` of `envoy-policy-engine/policies`. */
  readonly policies: PolicyRegistry;
  /** For `${env:NAME}`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told when the verdict on what was pushed last is another one than `push` has resolved with. Default: nobody is told. */
  readonly rejudged?: (verdict: Verdict) => void;
}

export interface EmbeddedEngine {
  readonly admin: TcpAddress;
  /**
   * Takes these documents in place of those that were pushed before, with all other providers' documents, or refuses them and says why: the
   * running generation then stays. Until the first push the engine denies everything, or goes on with the last good generation on disk.
   *
   * @param version the program's own word for this state, shown in logs and `/readyz`; it decides nothing
   */
  push(documents: readonly SourceDocument[], version: string): Promise<Verdict>;
  /** Adds a provider of the program's own. Resolves when it was heard. Rejects when its name is taken. */
  register(provider: Provider, origin: Pick<DocumentOrigin, "precedence" | "mayUseSecret">): Promise<void>;
  /** Takes a provider out, with what it has delivered; see `ProviderRegistry.unregister`. */
  unregister(name: string): Promise<Verdict | undefined>;
  rollback(generation: number, reason: string): Promise<Rollback>;
  generations(): readonly KeptGeneration[];
  providers(): readonly ProviderState[];
  /** What the chains that were pushed have done; undefined while no generation is in use. A registered provider asks its own sink. */
  statistics(): ProviderStatistics | undefined;
  /** As on SIGTERM: drains, then ends. */
  stop(): Promise<void>;
}

/** Name of the provider that `push` speaks for. */
const providerName = "code";

/**
 * Starts an engine. Rejects when the settings have problems, with all of them in the message, and when an address cannot be bound.
 *
 * The program answers for its process: signals, and errors that nobody catches.
 */
export async function embedEngine({ settings, directory, rejudged, ...parts }: EmbedOptions): Promise<EmbeddedEngine> {
  const parsed = parseSettings(settings, directory, "embedded");
  if ("problems" in parsed) throw new Error(`the settings are refused:\n${formatProblems(parsed.problems)}`);
  const code = codeProvider(providerName, rejudged);
  const registration = { provider: code, reads: "code", precedence: 0, mayUseSecret: () => true };
  const engine = await startEngine({ ...parts, settings: parsed.settings, registrations: [registration] });
  const { registry, rollback } = engine.configuration;
  return {
    admin: { kind: "tcp", host: engine.admin.host, port: engine.admin.port },
    push: code.push,
    register: (provider, origin) => registry.register({ provider, reads: `code ${provider.name}`, ...origin }),
    unregister: registry.unregister,
    rollback,
    generations: registry.kept,
    providers: registry.state,
    statistics: code.statistics,
    stop: engine.stop,
  };
}
