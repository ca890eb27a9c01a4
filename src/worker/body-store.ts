import type { Journal, Undoable } from "./journal.ts";

/** The whole body of one message: what was received, and over it what steps made of it. */
export class BodyStore implements Undoable {
  readonly #journal: Journal;
  readonly #received: Uint8Array | undefined;
  #current: Uint8Array | undefined;
  /** Parsed when first asked for and shared by steps and conditions until somebody replaces the body. */
  #json: { readonly value: unknown } | undefined;

  /** @param received decoded; undefined when there is no body */
  constructor(received: Uint8Array | undefined, journal: Journal) {
    this.#received = received;
    this.#current = received;
    this.#journal = journal;
  }

  get bytes(): Uint8Array | undefined {
    return this.#current;
  }

  /** Whether a step has replaced or cleared it. */
  get replaced(): boolean {
    return this.#current !== this.#received;
  }

  /** The value behind the bytes. Throws a `SyntaxError` when they are no JSON (RFC 8259: UTF-8). */
  json(): unknown {
    this.#json ??= { value: deepFreeze(JSON.parse(utf8(this.#current))) };
    return this.#json.value;
  }

  change(bytes: Uint8Array | undefined): void {
    this.#journal.record(this, "body", this.#current);
    this.#take(bytes);
  }

  restore(_key: string, previous: unknown): void {
    this.#take(previous instanceof Uint8Array ? previous : undefined);
  }

  #take(bytes: Uint8Array | undefined): void {
    this.#current = bytes;
    this.#json = undefined;
  }
}

/** UTF-8 as text. Throws a `TypeError` where the bytes are none. */
export function utf8(bytes: Uint8Array | undefined): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** Steps share the parsed value, so none may change it under the others. */
function deepFreeze(value: unknown): unknown {
  if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}
