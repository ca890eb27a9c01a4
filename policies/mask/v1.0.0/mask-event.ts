import { dataOf, type EventField, type StreamEvent, withData } from "@envoy-policy-engine/streams/events";
import type { SearchBudget } from "@envoy-policy-engine/streams/matches";
import { JsonFault } from "./json/rewrite-json.ts";
import { maskJson } from "./mask-json.ts";
import { maskText } from "./mask-text.ts";
import type { BoundRules } from "./rules.ts";

/**
 * Masks a server-sent event: its data as JSON where it is some, else as text, and its other lines as text. A line of an unknown name, which clients
 * ignore, is taken out when something in it matches.
 *
 * @returns the same object when nothing is masked
 * @throws JsonFault when there are paths and the data begins like JSON without being any: what stands at the paths could not be seen
 */
export function maskEvent(event: StreamEvent, rules: BoundRules, budget: SearchBudget): StreamEvent {
  const masked = (text: string): string => masking(text, (bytes) => maskText(bytes, rules.texts, budget));
  const fields = event.flatMap((field) => maskField(field, masked));
  const data = dataOf(event);
  const maskedData = data === undefined ? undefined : maskData(data, rules, budget);
  if (maskedData !== undefined && maskedData !== data) return withData(fields, maskedData);
  return fields.length === event.length && fields.every((field, index) => field === event[index]) ? event : fields;
}

function maskField(field: EventField, masked: (text: string) => string): readonly EventField[] {
  const { name, value } = field;
  if (name === "data") return [field];
  if (!["event", "id", "retry", ""].includes(name)) {
    const line = `${name}:${value}`;
    return masked(line) === line ? [field] : [];
  }
  const maskedValue = masked(value);
  return [maskedValue === value ? field : { name, value: maskedValue }];
}

function maskData(data: string, rules: BoundRules, budget: SearchBudget): string {
  // Behind a byte order mark, which some readers of JSON take.
  const [, sign] = /^\ufeff?[ \t\n\r]*([{["])/.exec(data) ?? [];
  // The path `$` leads to numbers, too. They stay what they are for patterns: text.
  const isMaskedWhole = rules.paths.root.value !== undefined;
  if (sign !== undefined || isMaskedWhole) {
    try {
      return masking(data, (bytes) => maskJson(bytes, rules, budget));
    } catch (error) {
      const mayHoldPlaces = rules.hasPaths && (sign === "{" || sign === "[") && data !== streamEnd;
      if (!(error instanceof JsonFault) || mayHoldPlaces) throw error;
    }
  }
  return masking(data, (bytes) => maskText(bytes, rules.texts, budget));
}

/** With what the interfaces of language models end a stream. */
const streamEnd = "[DONE]";

/** The same text when nothing is masked. */
function masking(text: string, mask: (bytes: Uint8Array) => Uint8Array): string {
  const bytes = Buffer.from(text);
  const masked = mask(bytes);
  return masked === bytes ? text : Buffer.from(masked).toString();
}
