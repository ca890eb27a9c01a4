import { hostname } from "node:os";
import { addressText } from "../config/addresses.ts";
import { isAllowed } from "../config/allowed-secrets.ts";
import { canonicalHash } from "../config/canonical.ts";
import type { ProviderSettings } from "../config/provider-settings.ts";
import type { HttpSettings, XdsSettings } from "../config/remote-provider-settings.ts";
import type { Settings } from "../config/settings.ts";
import type { DocumentOrigin, PolicyRegistry, SecretReference } from "../config/types.ts";
import type { Node } from "../generated/proto/envoy/config/core/v3/base.ts";
import type { Secrets } from "../generations/secrets.ts";
import type { LogLines } from "../observe/log.ts";
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
  readonly log: LogLines;
  readonly secrets: Secrets;
  readonly policies: PolicyRegistry;
  readonly startTimer: (milliseconds: number, expired: () => void) => () => void;
  readonly random: () => number;
}

/** The providers that settings name. */
export function registrationsOf(settings: Pick<Settings, "providers" | "secrets">, parts: ProviderParts): readonly Registration[] {
  return settings.providers.map((one) => {
    const { precedence, mayUseSecret } = originOf(one, settings.secrets);
    return { provider: createProvider(one, parts), precedence, reads: readsOf(one), mayUseSecret };
  });
}

/** What the documents of a provider may do. */
export function originOf(settings: ProviderSettings, { allow }: Settings["secrets"]): DocumentOrigin {
  const mayUseSecret = settings.kind === "file" ? () => true : (reference: SecretReference) => isAllowed(reference, allow);
  return { provider: settings.name, precedence: settings.precedence, mayUseSecret };
}

function createProvider(settings: ProviderSettings, { log, secrets, policies, startTimer, random }: ProviderParts): Provider {
  const { name } = settings;
  switch (settings.kind) {
    case "file": {
      const onUnwatchable = (directory: string, error: Error): void =>
        log.warn({ directory, err: error }, "a folder cannot be watched: its files are polled");
      return fileProvider({ name, paths: settings.paths, watching: { onUnwatchable } });
    }
    case "http": {
      const { urls, intervalMs, timeoutMs } = settings;
      const report = settings.report === undefined ? undefined : { url: settings.report, node: hostname() };
      return httpProvider({ name, urls, intervalMs, timeoutMs, report, startTimer, random, fetch: fetchWith(settings, secrets) });
    }
    case "xds": {
      const { timeoutMs, reportIntervalMs } = settings;
      const node = nodeOf(settings, policies);
      return xdsProvider({ name, node, timeoutMs, reportIntervalMs, startTimer, random, open: () => openXds(settings, secrets) });
    }
    default:
      return settings satisfies never;
  }
}

/** What the engine says about itself: a control plane must know which policies are there. */
function nodeOf(settings: XdsSettings, policies: PolicyRegistry): Node {
  return {
    id: settings.node ?? hostname(),
    userAgentName: "envoy-policy-engine",
    userAgentVersionType: { $case: "userAgentVersion", value: version },
    metadata: { policies: [...policies.keys()] },
  };
}

function fetchWith(settings: HttpSettings, secrets: Secrets): Parameters<typeof httpProvider>[0]["fetch"] {
  return async (url, { headers, ...question }) => {
    const token = authorization(settings, secrets);
    return outgoingFetch(url, {
      ...question,
      headers: { ...headers, ...(token === undefined ? {} : { authorization: token }) },
      bodyBytesMax: settings.bytesMax,
      ...(await readTls(settings.tls)),
    });
  };
}

/** What decides which configuration a provider delivers, and how it counts. A hash: it is saved, and an address may hold a signature. */
function readsOf(settings: ProviderSettings): string {
  const { kind, precedence } = settings;
  switch (kind) {
    case "file":
      return canonicalHash([kind, precedence, settings.paths]);
    case "http":
      return canonicalHash([kind, precedence, settings.urls]);
    case "xds":
      return canonicalHash([kind, precedence, addressText(settings.address)]);
    default:
      return kind satisfies never;
  }
}
