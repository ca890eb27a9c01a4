/**
 * Where the frames of a zstd body end (RFC 8878 3.1): known from the lengths in it, nothing is decoded. Node stops at the end of a frame and drops what
 * follows it in the same chunk, and Node 22 takes a frame that is cut off for a whole one (measured on 22.22.3).
 */
export class ZstdFrames {
  readonly #walk = walk();
  #read: number[] = [];
  #missing = 0;
  #looks = false;
  #complete = true;

  constructor() {
    this.#goOn();
  }

  /** Whether nothing is missing behind the bytes so far. */
  get complete(): boolean {
    return this.#complete;
  }

  /** The bytes, cut behind every end of a frame. What is no frame is not cut: the decoder says what is wrong with it. */
  split(bytes: Uint8Array): readonly Uint8Array[] {
    const parts: Uint8Array[] = [];
    let begin = 0;
    let at = 0;
    while (at < bytes.length) {
      const end = Math.min(bytes.length, at + this.#missing);
      if (this.#looks) this.#read.push(...bytes.subarray(at, end));
      this.#missing -= end - at;
      this.#complete = false;
      at = end;
      if (this.#missing === 0) this.#goOn();
      if (!this.#complete) continue;
      parts.push(bytes.subarray(begin, at));
      begin = at;
    }
    return begin < bytes.length ? [...parts, bytes.subarray(begin)] : parts;
  }

  /** To the next part that has a byte. */
  #goOn(): void {
    while (this.#missing === 0) {
      const { value } = this.#walk.next(this.#read);
      this.#read = [];
      if (value === "frame-end") {
        this.#complete = true;
        continue;
      }
      this.#missing = value?.bytes ?? Number.POSITIVE_INFINITY;
      this.#looks = value?.looks ?? false;
    }
  }
}

/** The next bytes of a frame: how many there are, and whether somebody wants to look at them. */
interface Part {
  readonly bytes: number;
  readonly looks: boolean;
}

function* walk(): Generator<Part | "frame-end", undefined, readonly number[]> {
  for (;;) {
    const magic = littleEndian(yield look(4));
    if (magic >>> 4 === 0x184d2a5) yield skip(littleEndian(yield look(4)));
    else if (magic === 0xfd2fb528) yield* blocks();
    else return undefined;
    yield "frame-end";
  }
}

function* blocks(): Generator<Part, void, readonly number[]> {
  const descriptor = littleEndian(yield look(1));
  yield skip(headerBytes(descriptor));
  for (let last = false; !last; ) {
    const block = littleEndian(yield look(3));
    last = (block & 1) === 1;
    const isRepeatedByte = ((block >>> 1) & 3) === 1;
    yield skip(isRepeatedByte ? 1 : block >>> 3);
  }
  const hasChecksum = (descriptor & 0x04) !== 0;
  yield skip(hasChecksum ? 4 : 0);
}

/** Behind the descriptor: the window's size, the dictionary's id and the content's size. */
function headerBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] ?? 0;
  const dictionaryId = [0, 1, 2, 4][descriptor & 3] ?? 0;
  return (isSingleSegment ? 0 : 1) + dictionaryId + contentSize;
}

const look = (bytes: number): Part => ({ bytes, looks: true });
const skip = (bytes: number): Part => ({ bytes, looks: false });

function littleEndian(bytes: readonly number[]): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
