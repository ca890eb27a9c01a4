import { isUtf8 } from "node:buffer";
import { characterEditor } from "@envoy-policy-engine/streams/characters";
import { type BodyEditor, BodyFault } from "@envoy-policy-engine/streams/editor";
import { eventEditor } from "@envoy-policy-engine/streams/events";
import { lineEditor } from "@envoy-policy-engine/streams/lines";
import { matchEditor } from "@envoy-policy-engine/streams/matches";
import { wholeEditor } from "@envoy-policy-engine/streams/whole";
import type { BodyKind } from "./body-kind.ts";
import { maskEvent } from "./mask-event.ts";
import { maskJson } from "./mask-json.ts";
import { maskText, newBudget } from "./mask-text.ts";
import type { BoundRules } from "./rules.ts";

/** The editors that mask one body. They hold no more of it than a document, an event, a line or a match, and `heldBytesMax` at most. */
export function bodyEditors(kind: BodyKind, rules: BoundRules, heldBytesMax: number): readonly BodyEditor[] {
  switch (kind) {
    case "json":
      return [wholeEditor(heldBytesMax, (body) => maskJson(body, rules, newBudget()))];
    case "json-lines":
      return [lineEditor(heldBytesMax, (line) => (isBlank(line) ? line : maskJson(line, rules, newBudget())))];
    case "events":
      return [eventEditor(heldBytesMax, (event) => maskEvent(event, rules, newBudget()))];
    case "text":
      if (rules.needWholeTexts) return [textEditor, wholeEditor(heldBytesMax, (body) => maskWholeText(body, rules))];
      return [textEditor, characterEditor(), ...rules.texts.map(({ finder, mask }) => matchEditor(finder, mask.text))];
  }
}

/**
 * UTF-16 and UTF-32 with ASCII in it is valid UTF-8 full of NUL, and readers of XML tell it by its first bytes, whatever the headers say (XML 1.0, appendix
 * F). Holds nothing, so that all bodies can share it.
 */
const textEditor: BodyEditor = {
  chunk(bytes) {
    if (bytes.includes(0)) throw new BodyFault("the text holds a NUL, as UTF-16 does: it may be read as another one");
    return bytes;
  },
  end: () => undefined,
};

function maskWholeText(body: Uint8Array, rules: BoundRules): Uint8Array {
  if (!isUtf8(body)) throw new BodyFault("the body is no UTF-8");
  return maskText(body, rules.texts, newBudget());
}

const isBlank = (line: Uint8Array): boolean => line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
