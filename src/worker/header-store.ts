import { Buffer, isUtf8 } from "node:buffer";
import { HeaderEdits } from "./header-edits.ts";
import type { Journal, Undoable } from "./journal.ts";
import type { ReceivedHeaders } from "./received-headers.ts";

/** One header line: lower-case name (pseudo-headers included) and the bytes as they are on the wire. */
export interface HeaderEntry {
  readonly name: string;
  readonly value: Uint8Array;
}

/** The net difference between what Envoy knows and what stands now. Removals come first, then `set` in order. */
export interface HeaderChanges {
  readonly remove: readonly string[];
  /** `append` false replaces every line of the name, true adds one. */
  readonly set: readonly { readonly name: string; readonly value: Uint8Array; readonly append: boolean }[];
}

export const noChanges: HeaderChanges = { remove: [], set: [] };

/** The headers of one message: what was received, and over it what steps changed. Headers nobody touched are never written again. */
export class HeaderStore implements Undoable {
  readonly #received: ReceivedHeaders;
  readonly #journal: Journal;
  /** Undefined until something is changed: most messages pass as they are. */
  #edits: HeaderEdits | undefined;
  /** Texts that were asked for, by name: conditions of several steps ask for the same ones. */
  #texts: Map<string, string> | undefined;
  #sealed = false;

  constructor(received: ReceivedHeaders, journal: Journal) {
    this.#received = received;
    this.#journal = journal;
  }

  values(name: string): readonly Uint8Array[] {
    return this.#edits?.get(name)?.values ?? this.#received.values(name);
  }

  /** The same as text. */
  texts(name: string): readonly string[] {
    return this.#edits?.get(name)?.values.map((value) => decodeText(value)) ?? this.#received.texts(name);
  }

  /** The values before a change, from what the journal noted of it. */
  valuesBefore(name: string, previous: unknown): readonly Uint8Array[] {
    return Array.isArray(previous) ? previous : this.#received.values(name);
  }

  has(name: string): boolean {
    const edit = this.#edits?.get(name);
    return edit === undefined ? this.#received.has(name) : edit.values.length > 0;
  }

  /** The values as text, joined as RFC 9110 5.3 joins lines (RFC 9113 8.2.3 for cookie). Undefined when absent. */
  text(name: string): string | undefined {
    const known = this.#texts?.get(name);
    if (known !== undefined) return known;
    const texts = this.texts(name);
    const [first] = texts;
    if (first === undefined) return undefined;
    const text = texts.length > 1 ? texts.join(name === "cookie" ? "; " : ", ") : first;
    this.#texts ??= new Map();
    this.#texts.set(name, text);
    return text;
  }

  /** Throws a `TypeError` when the headers are on their way already and this would make a difference. */
  change(name: string, values: readonly Uint8Array[]): void {
    if (this.#sealed && !same(values, this.values(name))) {
      throw new TypeError("the message has no body but trailers, and its headers are on their way: they cannot be changed any more");
    }
    this.#edits ??= new HeaderEdits();
    this.#texts?.delete(name);
    const edit = this.#edits.get(name);
    this.#journal.record(this, name, edit?.values);
    if (edit === undefined) this.#edits.add({ name, values, told: undefined });
    else edit.values = values;
  }

  restore(name: string, previous: unknown): void {
    this.#texts?.delete(name);
    const edit = this.#edits?.get(name);
    if (edit === undefined) return;
    if (previous === undefined) this.#edits?.delete(edit);
    else edit.values = previous as readonly Uint8Array[];
  }

  /** Every name that has a value, pseudo-headers left out, in the order received, new ones last. */
  names(): readonly string[] {
    const names = new Set<string>();
    for (const { name } of this.#received.entries()) if (!name.startsWith(":") && this.has(name)) names.add(name);
    for (const { name, values } of this.#edits?.all() ?? []) if (!name.startsWith(":") && values.length > 0) names.add(name);
    return [...names];
  }

  /** Every line as it stands, pseudo-headers included. */
  entries(): readonly HeaderEntry[] {
    const edits = this.#edits;
    if (edits === undefined) return this.#received.entries();
    const entries = this.#received.entries().filter(({ name }) => edits.get(name) === undefined);
    for (const { name, values } of edits.all()) for (const value of values) entries.push({ name, value });
    return entries;
  }

  /** From here on nobody can change them. */
  seal(): void {
    this.#sealed = true;
  }

  /** Whether the lines of this name are others than those received. */
  isChanged(name: string): boolean {
    const edit = this.#edits?.get(name);
    return edit !== undefined && !same(edit.values, this.#received.values(name));
  }

  /** What Envoy is still to be told; it counts as told from here on. */
  takeChanges(): HeaderChanges {
    const edits = this.#edits?.all();
    if (edits === undefined || edits.length === 0) return noChanges;
    const remove: string[] = [];
    const set: { name: string; value: Uint8Array; append: boolean }[] = [];
    for (const edit of edits) {
      const { name, values, told } = edit;
      edit.told = values;
      if (values.length === 0) {
        if (told === undefined ? this.#received.has(name) : told.length > 0) remove.push(name);
        continue;
      }
      const before = told ?? this.#received.values(name);
      const kept = startsWith(values, before);
      for (let index = kept ? before.length : 0; index < values.length; index++) {
        const value = values[index];
        if (value !== undefined) set.push({ name, value, append: index > 0 });
      }
    }
    return { remove, set };
  }
}

/** UTF-8 where the bytes are valid UTF-8, else latin1: every byte sequence has a text and no two mistakes look alike. */
export function decodeText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString("utf8", start, end);
  // U+FFFD stands for what is no UTF-8, or for itself.
  return text.includes("\ufffd") && !isUtf8(buffer.subarray(start, end)) ? buffer.toString("latin1", start, end) : text;
}

const same = (one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean => one.length === other.length && startsWith(one, other);

function startsWith(values: readonly Uint8Array[], first: readonly Uint8Array[]): boolean {
  if (first.length > values.length) return false;
  for (let index = 0; index < first.length; index++) if (!equal(first[index], values[index])) return false;
  return true;
}

function equal(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && Buffer.compare(a, b) === 0;
}
