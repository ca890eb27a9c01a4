/**
 * Undoes or applies codings on one body as it passes. Only one call at a time, and all that it gives is to be taken before the next one: what is not
 * taken is not made, so that a small body never becomes a large one in memory.
 */
export interface Coder {
  /** What these bytes give, which may be nothing yet. @throws CodingError while it is iterated */
  write(bytes: Uint8Array): AsyncIterable<Uint8Array>;
  /** What is left, behind the last bytes. @throws CodingError while it is iterated */
  end(): AsyncIterable<Uint8Array>;
  /** Frees what it holds, also midway: an iteration that is under way ends. May be called more than once. */
  close(): void;
}

/** Why a body cannot be decoded: it is not what its codings say, to the last byte, or it becomes larger than is allowed. */
export class CodingError extends Error {
  override readonly name = "CodingError";
  readonly kind: "undecodable" | "too-large";

  constructor(kind: CodingError["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** One coder behind the other; none gives the bytes as they come. */
export function inSeries(coders: readonly Coder[]): Coder {
  return {
    write: (bytes) => through(coders, bytes),
    async *end() {
      for (const [index, coder] of coders.entries()) {
        for await (const piece of coder.end()) yield* through(coders.slice(index + 1), piece);
      }
    },
    close() {
      for (const coder of coders) coder.close();
    },
  };
}

async function* through([coder, ...others]: readonly Coder[], bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (coder === undefined) yield bytes;
  else for await (const piece of coder.write(bytes)) yield* through(others, piece);
}
