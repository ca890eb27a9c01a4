import { hostname } from "node:os";
import { addressText } from "../config/addresses.ts";
import { isAllowed } from "../config/allowed-secrets.ts";
import type { ProviderSettings } from "../config/provider-settings.ts";
import type { HttpSettings, XdsSettings } from "../config/remote-provider-settings.ts";
import type { Settings } from "../config/settings.ts";
import type { PolicyRegistry, SecretReference } from "../config/types.ts";
import type { Node } from "../generated/proto/envoy/config/core/v3/base.ts";
import type { Secrets } from "../generations/secrets.ts";
import type { Log } from "../observe/log.ts";
import { fileProvider } from "../providers/file.ts";
import { httpProvider } from "../providers/http.ts";
import type { Provider } from "../providers/provider.ts";
import type { Registration } from "../providers/source.ts";
import { xdsProvider } from "../providers/xds.ts";
import { version } from "../version.ts";
import { outgoingFetch } from "./outgoing-fetch.ts";
import { authorization, readTls } from "./remote-access.ts";
import { openXds } from "./xds-connection.ts";

export interface ProviderParts {
  readonly log: Log;
  readonly secrets: Secrets;
  readonly policies: PolicyRegistry;
  readonly startTimer: (milliseconds: number, expired: () => void) => () => void;
  readonly random: () => number;
}

/** The providers that settings name. */
export function registrationsOf(settings: Pick<Settings, "providers" | "secrets">, parts: ProviderParts): readonly Registration[] {
  return settings.providers.map((one) => ({
    provider: createProvider(one, parts),
    precedence: one.precedence,
    reads: readsOf(one),
    mayUseSecret: one.kind === "file" ? () => true : (reference: SecretReference) => isAllowed(reference, settings.secrets.allow),
  }));
}

function createProvider(settings: ProviderSettings, parts: ProviderParts): Provider {
  switch (settings.kind) {
    case "file": {
      const onUnwatchable = (directory: string, error: Error): void =>
        parts.log.warn({ directory, err: error }, "a folder cannot be watched: its files are polled");
      return fileProvider({ name: settings.name, paths: settings.paths, watching: { onUnwatchable } });
    }
    case "http":
      return httpProvider({ ...settings, ...parts, fetch: fetchWith(settings, parts.secrets) });
    case "xds":
      return xdsProvider({ ...settings, ...parts, node: nodeOf(settings, parts), open: () => openXds(settings, parts.secrets) });
    default:
      return settings satisfies never;
  }
}

/** What the engine says about itself: a control plane must know which policies are there. */
function nodeOf(settings: XdsSettings, { policies }: ProviderParts): Node {
  return {
    id: settings.node ?? hostname(),
    userAgentName: "envoy-policy-engine",
    userAgentVersionType: { $case: "userAgentVersion", value: version },
    metadata: { policies: [...policies.keys()] },
  };
}

function fetchWith(settings: HttpSettings, secrets: Secrets): Parameters<typeof httpProvider>[0]["fetch"] {
  return async (url, headers, signal) => {
    const token = authorization(settings, secrets);
    return outgoingFetch(url, {
      headers: { ...headers, ...(token === undefined ? {} : { authorization: token }) },
      signal,
      bodyBytesMax: settings.bytesMax,
      ...(await readTls(settings.tls)),
    });
  };
}

/** What decides which configuration a provider delivers, and how it counts. */
function readsOf(settings: ProviderSettings): string {
  switch (settings.kind) {
    case "file":
      return JSON.stringify(["file", settings.precedence, ...settings.paths]);
    case "http":
      return JSON.stringify(["http", settings.precedence, ...settings.urls]);
    case "xds":
      return JSON.stringify(["xds", settings.precedence, addressText(settings.address)]);
    default:
      return settings satisfies never;
  }
}
