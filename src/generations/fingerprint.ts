import { canonicalHash } from "../config/canonical.ts";
import type { CheckedConfig } from "../config/types.ts";

/** Two configurations are one if their text, the secrets behind it and those who delivered it are. A hash, hex. */
export function fingerprint({ hash, chains, routeSources }: CheckedConfig): string {
  const resolved = [...chains.values()].map(({ provider, steps }) => [provider, ...steps.map(({ parametersHash }) => parametersHash)]);
  return canonicalHash([hash, resolved, [...routeSources.values()].map(({ provider }) => provider)]);
}
