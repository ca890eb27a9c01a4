import type { BodyTransform } from "@envoy-policy-engine/sdk";

/** Undefined for what is no transform. Every property is read once: what was checked is what is called. */
export function acceptTransform(result: unknown): BodyTransform | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const { chunk, end } = result as Partial<BodyTransform>;
  if (typeof chunk !== "function" || typeof end !== "function") return undefined;
  return { chunk: chunk.bind(result), end: end.bind(result) };
}
