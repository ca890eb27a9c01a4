/** What people may see of the configuration in use. Plain JSON, without secrets. */
import {
  type ShownConfig,
  type ShownRoute,
  type ShownStep,
  showConfig,
  showRoute,
  showStep,
  showUnmatched,
} from "../config/shown-config.ts";
import type { EnvoyPromises } from "../config/types.ts";
import { type ChainNeeds, chainNeeds } from "../envoy-config/demands.ts";
import { filterMode, type ProcessingMode, routeMode } from "../envoy-config/processing-mode.ts";
import type { Position } from "../errors.ts";
import type { Generation } from "../generations/generation.ts";
import type { KeptGeneration } from "../providers/kept-generations.ts";
import { suggest } from "../suggest.ts";

export interface ShownGeneration {
  readonly number: number;
  readonly hash: string;
  /** When it came into use. */
  readonly since: string;
}

/** Where something is written, `uri:line:column`, and who delivered it. */
export interface Source {
  readonly position: string;
  readonly provider: string | undefined;
}

export interface ConfigPage {
  readonly generation: ShownGeneration;
  /** One document that does the same. */
  readonly config: ShownConfig;
  /** Where each of its chains and routes comes from; `hash` is the chain's content hash. */
  readonly chains: Readonly<Record<string, Source & { readonly hash: string }>>;
  readonly routes: Readonly<Record<string, Source>>;
}

export function configPage(generation: Pick<Generation, "number" | "hash" | "committedAt" | "config">): ConfigPage {
  const { config } = generation;
  return {
    generation: showGeneration(generation),
    config: showConfig(config),
    chains: Object.fromEntries([...config.chains].map(([name, chain]) => [name, { hash: chain.hash, ...showSource(chain) }])),
    routes: Object.fromEntries([...config.routeSources].map(([name, source]) => [name, showSource(source)])),
  };
}

/** `draining`: another one is in use, and exchanges that began with this one are still open. */
export type GenerationState = "in use" | "draining" | "kept";

export interface GenerationsPage {
  /** The newest first. */
  readonly generations: readonly (ShownGeneration & {
    readonly state: GenerationState;
    /** Why it came into use. */
    readonly reason: KeptGeneration["reason"];
    readonly providers: KeptGeneration["providers"];
  })[];
}

export interface OpenGenerations {
  current(): Pick<Generation, "number"> | undefined;
  /** Numbers of those that are in use or still have exchanges. */
  open(): readonly number[];
}

/** Those that can be rolled back to, the one in use among them. */
export function generationsPage(generations: OpenGenerations, kept: readonly KeptGeneration[]): GenerationsPage {
  const page = kept.map(({ generation, hash, since, reason, providers }) => ({
    ...showGeneration({ number: generation, hash, committedAt: since }),
    state: stateOf(generation, generations),
    reason,
    providers,
  }));
  return { generations: page.toReversed() };
}

function stateOf(number: number, generations: OpenGenerations): GenerationState {
  if (number === generations.current()?.number) return "in use";
  return generations.open().includes(number) ? "draining" : "kept";
}

export type RoutePage = KnownRoute | UnknownRoute;

export interface KnownRoute {
  readonly route: string;
  readonly known: true;
  readonly generation: ShownGeneration;
  /** `[]`: requests pass, said aloud. */
  readonly chain: ShownRoute;
  readonly source: Source | undefined;
  readonly steps: readonly (ShownStep & { readonly source: Source })[];
  /** What Envoy must send of an exchange, and the `processing_mode` that says so. */
  readonly needs: ChainNeeds;
  readonly processing_mode: ProcessingMode;
}

export interface UnknownRoute {
  readonly known: false;
  readonly error: string;
  readonly help: string;
  readonly routes: readonly string[];
}

/** What happens to the requests of an Envoy route. */
export function routePage(name: string, generation: Generation, promises: EnvoyPromises): RoutePage {
  const { config, chains } = generation;
  if (!config.routes.has(name)) return unknownRoute(name, generation);
  const chain = config.routes.get(name);
  const checked = chain === undefined ? undefined : config.chains.get(chain);
  const needs = chainNeeds(chain === undefined ? undefined : chains.get(chain));
  return {
    route: name,
    known: true,
    generation: showGeneration(generation),
    chain: showRoute(chain),
    source: sourceOf(config.routeSources.get(name)),
    steps: (checked?.steps ?? []).map((step) => ({
      ...showStep(step),
      source: showSource({ position: step.position, provider: checked?.provider }),
    })),
    needs,
    processing_mode: routeMode(needs, promises) ?? filterMode(promises),
  };
}

const routesShownMax = 50;

function unknownRoute(name: string, { config }: Generation): UnknownRoute {
  const routes = [...config.routes.keys()].sort();
  const suggestion = suggest(name, routes);
  const outcome = { deny: "denied", pass: "let through", chain: `given to the chain \`${showUnmatched(config.unmatched)}\`` };
  return {
    known: false,
    error: `the configuration does not know the route \`${name}\`: its requests are ${outcome[config.unmatched.kind]}, as \`unmatched\` says, unless the Envoy route names a chain in its own metadata`,
    help: suggestion === undefined ? "add it under `routes`, or ask for one of those that there are" : `did you mean \`${suggestion}\`?`,
    routes: routes.slice(0, routesShownMax),
  };
}

function showGeneration({ number, hash, committedAt }: Pick<Generation, "number" | "hash" | "committedAt">): ShownGeneration {
  return { number, hash, since: new Date(committedAt).toISOString() };
}

interface Definition {
  readonly position: Position;
  readonly provider: string | undefined;
}

function sourceOf(definition: Definition | undefined): Source | undefined {
  return definition && showSource(definition);
}

function showSource({ position, provider }: Definition): Source {
  return { position: `${position.uri}:${position.line}:${position.column}`, provider };
}
