import type { SearchBudget } from "@envoy-policy-engine/streams/matches";
import { rewriteJson } from "./json/rewrite-json.ts";
import type { Mask } from "./mask.ts";
import { maskText } from "./mask-text.ts";
import type { BoundRules } from "./rules.ts";

/**
 * Masks a JSON text: first what stands at a path, then what matches in every other string, number and member name. What is masked becomes a string, and
 * every other byte stays.
 *
 * @returns the same object when nothing is masked
 * @throws JsonFault when it is no JSON
 */
export function maskJson(json: Uint8Array, { paths, texts }: BoundRules, budget: SearchBudget): Uint8Array {
  return rewriteJson(json, {
    ...paths,
    replacesValue: ({ value: mask }) => mask && ((value) => maskedValue(value, mask)),
    text: (text) => maskText(text, texts, budget),
  });
}

function maskedValue(json: Uint8Array, mask: Mask): string {
  const text = Buffer.from(json).toString();
  const masked = text.startsWith('"')
    ? mask.text(Buffer.from(String(JSON.parse(text))))
    : /^[-0-9]/.test(text)
      ? mask.text(json)
      : mask.structure(json);
  return JSON.stringify(Buffer.from(masked).toString());
}
