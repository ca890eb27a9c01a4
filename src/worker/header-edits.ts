/** What became of the lines of one name. */
export interface HeaderEdit {
  readonly name: string;
  values: readonly Uint8Array[];
  /** What Envoy was told already. Steps that were told of have come to their end: none of it is taken back. */
  told: readonly Uint8Array[] | undefined;
}

/** So many are looked through one by one, which costs less than a map; of more there is one, because clients choose how many headers match. */
const searchedMax = 16;

/** Edits by name, in the order in which the names were first edited. */
export class HeaderEdits {
  readonly #edits: HeaderEdit[] = [];
  #byName: Map<string, HeaderEdit> | undefined;

  get(name: string): HeaderEdit | undefined {
    if (this.#byName !== undefined) return this.#byName.get(name);
    for (const edit of this.#edits) if (edit.name === name) return edit;
    return undefined;
  }

  /** @param edit of a name that has none */
  add(edit: HeaderEdit): void {
    this.#edits.push(edit);
    if (this.#edits.length > searchedMax) this.#byName ??= new Map(this.#edits.map((one) => [one.name, one]));
    this.#byName?.set(edit.name, edit);
  }

  delete(edit: HeaderEdit): void {
    this.#edits.splice(this.#edits.lastIndexOf(edit), 1);
    this.#byName?.delete(edit.name);
  }

  all(): readonly HeaderEdit[] {
    return this.#edits;
  }
}
