/** A checked configuration for people: one document, everything written out, secrets by reference or not at all. Plain JSON. */
import { durationText, sizeText } from "./quantities.ts";
import type { Acknowledgement, CheckedChain, CheckedConfig, CheckedStep, FailureMode, Unmatched } from "./types.ts";

/** In the format of a configuration document; what is optional and not there is undefined. */
export interface ShownConfig {
  readonly version: 1;
  readonly chains: Readonly<Record<string, ShownChain>>;
  readonly routes: Readonly<Record<string, ShownRoute>>;
  readonly unmatched: string;
}

/** The name of a chain; `[]` is the empty chain, said aloud. */
export type ShownRoute = string | readonly [];

export interface ShownChain {
  readonly description?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly rawPath: boolean;
  readonly bodyBytesMax?: string;
  readonly acknowledge: readonly ShownAcknowledgement[];
  readonly steps: readonly ShownStep[];
}

export interface ShownStep {
  readonly name: string;
  /** `name@version`, exact. */
  readonly policy: string;
  readonly when?: string;
  readonly parameters: unknown;
  readonly timeout: string;
  readonly onError: FailureMode;
  readonly onUpgrade: FailureMode;
  readonly onStream: FailureMode;
  readonly acknowledge: readonly ShownAcknowledgement[];
}

export interface ShownAcknowledgement {
  readonly code: string;
  readonly reason: string;
}

/** Chains and routes by name, in alphabetical order, whatever the order of the documents. */
export function showConfig({ chains, routes, unmatched }: CheckedConfig): ShownConfig {
  return {
    version: 1,
    chains: sorted([...chains].map(([name, chain]) => [name, showChain(chain)])),
    routes: sorted([...routes].map(([name, chain]) => [name, showRoute(chain)])),
    unmatched: showUnmatched(unmatched),
  };
}

export function showChain({ description, labels, rawPath, bodyBytesMax, acknowledged, steps }: CheckedChain): ShownChain {
  return {
    ...(description !== undefined && { description }),
    labels,
    rawPath,
    ...(bodyBytesMax !== undefined && { bodyBytesMax: sizeText(bodyBytesMax) }),
    acknowledge: acknowledged.map(showAcknowledgement),
    steps: steps.map(showStep),
  };
}

export function showStep(step: CheckedStep): ShownStep {
  const { name, release, when, shownParameters, timeoutMs, onError, onUpgrade, onStream, acknowledged } = step;
  return {
    name,
    policy: `${release.manifest.name}@${release.manifest.version}`,
    ...(when !== undefined && { when: when.text }),
    parameters: shownParameters,
    timeout: durationText(timeoutMs),
    onError,
    onUpgrade,
    onStream,
    acknowledge: acknowledged.map(showAcknowledgement),
  };
}

export function showRoute(chain: string | undefined): ShownRoute {
  return chain ?? [];
}

/** `deny`, `pass` or the name of a chain. */
export function showUnmatched(unmatched: Unmatched): string {
  return unmatched.kind === "chain" ? unmatched.chain : unmatched.kind;
}

function showAcknowledgement({ code, reason }: Acknowledgement): ShownAcknowledgement {
  return { code, reason };
}

function sorted<Value>(entries: readonly (readonly [string, Value])[]): Readonly<Record<string, Value>> {
  return Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
