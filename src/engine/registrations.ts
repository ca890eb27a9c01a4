import type { ProviderSettings } from "../config/provider-settings.ts";
import type { Log } from "../observe/log.ts";
import { fileProvider } from "../providers/file.ts";
import type { Provider } from "../providers/provider.ts";
import type { Registration } from "../providers/source.ts";

/** The providers that settings name. */
export function registrationsOf(providers: readonly ProviderSettings[], log: Log): readonly Registration[] {
  return providers.map((settings) => ({ ...createProvider(settings, log), precedence: settings.precedence }));
}

function createProvider(settings: ProviderSettings, log: Log): Omit<Registration, "precedence"> {
  const { name, paths, precedence } = settings;
  const onUnwatchable = (directory: string, error: Error): void =>
    log.warn({ directory, err: error }, "a folder cannot be watched: its files are polled");
  const provider: Provider = fileProvider({ name, paths, watching: { onUnwatchable } });
  return { provider, reads: JSON.stringify(["file", paths, precedence]), mayUseSecret: () => true };
}
