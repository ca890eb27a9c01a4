import { deepFreeze } from "./deep-freeze.ts";
import type { Journal, Undoable } from "./journal.ts";

/** Headers that say something about the bytes, wrong once those are replaced (RFC 9110 8.8.3 and 14.3, RFC 9530, RFC 1864). */
export const aboutTheBytes: readonly string[] = ["etag", "content-md5", "digest", "content-digest", "repr-digest", "accept-ranges"];

/** The whole body of one message: what was received, and over it what steps made of it. */
export class BodyStore implements Undoable {
  readonly #journal: Journal;
  readonly #received: Uint8Array | undefined;
  #current: Uint8Array | undefined;
  /** Parsed when first asked for and shared by steps and conditions until somebody replaces the body; so is the failure to parse it. */
  #json: { readonly value: unknown } | { readonly failure: unknown } | undefined;

  /** @param received decoded; undefined when there is no body */
  constructor(received: Uint8Array | undefined, journal: Journal) {
    this.#received = received;
    this.#current = received;
    this.#journal = journal;
  }

  get bytes(): Uint8Array | undefined {
    return this.#current;
  }

  /** The message came without a body, so that there is nothing to replace. */
  get absent(): boolean {
    return this.#received === undefined;
  }

  /** Whether a step has replaced or cleared it. */
  get replaced(): boolean {
    return this.#current !== this.#received;
  }

  /** The value behind the bytes. Throws a `SyntaxError` when they are no JSON, a `TypeError` when they are no UTF-8 (RFC 8259 8.1). */
  json(): unknown {
    this.#json ??= parsed(this.#current);
    if ("failure" in this.#json) throw this.#json.failure;
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

/** UTF-8 as text, a byte order mark included. Throws a `TypeError` where the bytes are none. */
export function utf8(bytes: Uint8Array | undefined): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

function parsed(bytes: Uint8Array | undefined): { readonly value: unknown } | { readonly failure: unknown } {
  try {
    // RFC 8259 8.1 lets a parser ignore a byte order mark, and an upstream may: what it reads must not be hidden from the steps.
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    deepFreeze(value);
    return { value };
  } catch (failure) {
    return { failure };
  }
}
