/** What settings and chains demand of Envoy's configuration: what `printEnvoy` writes and `checkEnvoy` looks for. */
import type { Settings } from "../config/settings.ts";
import type { CheckedConfig, RoutingMutation, Unmatched } from "../config/types.ts";
import { type BodyUse, bodyUseOf, type Chain } from "../worker/chain.ts";
import { type AttributeReaders, attributeReaders } from "./attributes.ts";

/** The settings that Envoy's side must fit. */
export interface EnvoySettings extends Pick<Settings, "listen" | "tls" | "envoy" | "shutdown"> {
  /** How many processes listen; see `workerAddress` for where. */
  readonly workers: number;
}

export interface EnvoyDemands {
  readonly settings: EnvoySettings;
  /** Envoy route name to chain name; undefined is the empty chain. */
  readonly routes: ReadonlyMap<string, string | undefined>;
  readonly unmatched: Unmatched;
  readonly chains: ReadonlyMap<string, ChainDemands>;
}

export interface ChainDemands {
  readonly needs: ChainNeeds;
  /** The largest body that the chain takes, bytes. */
  readonly bodyBytesMax: number;
  /** What its policies announce to change. */
  readonly mutates: ReadonlySet<RoutingMutation>;
  /** Envoy attributes that its expressions read. */
  readonly attributes: AttributeReaders;
}

/** What Envoy must send for a chain, besides the request's headers. A body that is used needs its direction's trailers too. */
export interface ChainNeeds {
  readonly requestBody: BodyUse;
  readonly responseHeaders: boolean;
  readonly responseBody: BodyUse;
}

/** `chains` are the bound ones of `config`: whether a chain has response handlers is known only when its policies have been created. */
export function envoyDemands(settings: EnvoySettings, config: CheckedConfig, chains: ReadonlyMap<string, Chain>): EnvoyDemands {
  const demands = chainDemands(config, chains, settings.envoy.bodyBytesMax);
  return { settings, routes: config.routes, unmatched: config.unmatched, chains: demands };
}

/** What each chain demands by itself. */
export function chainDemands(
  config: CheckedConfig,
  chains: ReadonlyMap<string, Chain>,
  bodyBytesDefault: number,
): ReadonlyMap<string, ChainDemands> {
  const demands = [...config.chains.values()].map(({ name, steps, bodyBytesMax }): readonly [string, ChainDemands] => [
    name,
    {
      needs: chainNeeds(chains.get(name)),
      bodyBytesMax: bodyBytesMax ?? bodyBytesDefault,
      mutates: new Set(steps.flatMap(({ release }) => release.manifest.mutates)),
      attributes: attributeReaders(steps),
    },
  ]);
  return new Map(demands);
}

/** Without a chain nothing is needed. */
export function chainNeeds(chain: Chain | undefined): ChainNeeds {
  const steps = chain?.steps ?? [];
  return {
    requestBody: bodyUseOf(steps, "request"),
    responseHeaders: chain?.hasResponse === true,
    responseBody: bodyUseOf(steps, "response"),
  };
}

/** Whether Envoy must hold a whole body for a chain, in either direction. */
export function buffersBody({ requestBody, responseBody }: ChainNeeds): boolean {
  return requestBody === "buffered" || responseBody === "buffered";
}

/** The chain of a route as Envoy's configuration names it: by `routes`, by the route's own metadata, or else by `unmatched`. */
export function chainOf(demands: EnvoyDemands, name: string, ownChain: string | undefined): ChainDemands | undefined {
  const { routes, unmatched, chains } = demands;
  if (routes.has(name)) return chains.get(routes.get(name) ?? "");
  if (ownChain !== undefined) return chains.get(ownChain);
  return unmatched.kind === "chain" ? chains.get(unmatched.chain) : undefined;
}

/** Of what a chain changes, that which Envoy refuses without `allow_all_routing`: `:path` it takes. */
export function mutationsThatNeedRights({ mutates }: ChainDemands): readonly RoutingMutation[] {
  return [...mutates].filter((mutation) => mutation === "method" || mutation === "host");
}
