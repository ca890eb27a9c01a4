/** How long a match of a pattern can be. */
export interface MatchLength {
  /** Characters; 0 when the empty text matches. */
  readonly charactersMin: number;
  /** Bytes of UTF-8; `Infinity` where there is no bound. May be more than any match has, never less. */
  readonly bytesMax: number;
}

/** Reads how long the matches of a valid pattern in RE2's syntax can be (https://github.com/google/re2/wiki/Syntax). */
export function matchLength(source: string): MatchLength {
  const reader = new Reader(withoutQuotes(source), /\(\?[a-zA-Z]*i/.test(source));
  return alternation(reader);
}

const nothing: MatchLength = { charactersMin: 0, bytesMax: 0 };
const anyCharacter: MatchLength = { charactersMin: 1, bytesMax: 4 };
const asciiCharacter: MatchLength = { charactersMin: 1, bytesMax: 1 };

class Reader {
  /** Whether case is ignored anywhere: then a `k` may match the Kelvin sign, which has three bytes. */
  readonly caseless: boolean;
  readonly #text: string;
  #at = 0;

  constructor(text: string, caseless: boolean) {
    this.#text = text;
    this.caseless = caseless;
  }

  get done(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Takes what the pattern matches here; undefined, and nothing taken, when it does not. @param pattern with the flag `y` */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [taken] = pattern.exec(this.#text) ?? [];
    this.#at += taken?.length ?? 0;
    return taken;
  }
}

function alternation(reader: Reader): MatchLength {
  let length = sequence(reader);
  while (reader.take(/\|/y) !== undefined) {
    const other = sequence(reader);
    length = {
      charactersMin: Math.min(length.charactersMin, other.charactersMin),
      bytesMax: Math.max(length.bytesMax, other.bytesMax),
    };
  }
  return length;
}

function sequence(reader: Reader): MatchLength {
  let length = nothing;
  while (!reader.done) {
    const part = atom(reader);
    if (part === undefined) break;
    const repeated = repetition(reader, part);
    length = { charactersMin: length.charactersMin + repeated.charactersMin, bytesMax: length.bytesMax + repeated.bytesMax };
  }
  return length;
}

/** Undefined at the end of a sequence. */
function atom(reader: Reader): MatchLength | undefined {
  if (reader.take(/(?=[|)])/y) !== undefined) return undefined;
  if (reader.take(/\(\?[a-zA-Z-]*\)|[\^$]|\\[AzbB]/y) !== undefined) return nothing;
  if (reader.take(/\((?:\?P?<\w+>|\?[a-zA-Z-]*:)?/y) !== undefined) {
    const inner = alternation(reader);
    reader.take(/\)/y);
    return inner;
  }
  if (reader.take(/\[/y) !== undefined) return characterClass(reader);
  if (reader.take(/\./y) !== undefined) return anyCharacter;
  return oneCharacter(reader);
}

function oneCharacter(reader: Reader): MatchLength {
  const wide = reader.take(wideCharacter) !== undefined;
  if (!wide) reader.take(/\\?[\s\S]/y);
  return wide || reader.caseless ? anyCharacter : asciiCharacter;
}

/** What may be more than one byte: escapes that stand for many characters or for any code, and what is not ASCII. */
const wideCharacter = /\\(?:[pP](?:\{[^}]*\}|.)|[DSW]|x(?:\{[^}]*\}|..)|[0-7]{1,3})|\P{ASCII}/uy;

function characterClass(reader: Reader): MatchLength {
  let wide = reader.take(/\^/y) !== undefined || reader.caseless;
  for (let first = true; !reader.done && (first || reader.take(/\]/y) === undefined); first = false) {
    if (reader.take(/\[:\^\w+:\]/y) !== undefined || reader.take(wideCharacter) !== undefined) wide = true;
    else reader.take(/\[:\w+:\]|\\?[\s\S]/y);
  }
  return wide ? anyCharacter : asciiCharacter;
}

function repetition(reader: Reader, part: MatchLength): MatchLength {
  let length = part;
  for (;;) {
    const operator = reader.take(/(?:[*+?]|\{\d+(?:,\d*)?\})\??/y);
    if (operator === undefined) return length;
    const [least, most] = bounds(operator);
    // Nothing repeated is nothing, not what Infinity times 0 gives.
    length = { charactersMin: length.charactersMin * least, bytesMax: length.bytesMax === 0 ? 0 : times(length.bytesMax, most) };
  }
}

function bounds(operator: string): readonly [least: number, most: number] {
  if (operator.startsWith("*")) return [0, Number.POSITIVE_INFINITY];
  if (operator.startsWith("+")) return [1, Number.POSITIVE_INFINITY];
  if (operator.startsWith("?")) return [0, 1];
  const [, least = "", comma, most = ""] = /^\{(\d+)(,?)(\d*)/.exec(operator) ?? [];
  if (comma === "") return [Number(least), Number(least)];
  return [Number(least), most === "" ? Number.POSITIVE_INFINITY : Number(most)];
}

const times = (bytes: number, count: number): number => (count === 0 ? 0 : bytes * count);

/** `\Q...\E` as escaped characters. */
function withoutQuotes(source: string): string {
  return source.replace(/\\Q([\s\S]*?)(?:\\E|$)|\\[\s\S]/g, (whole, quoted?: string) =>
    quoted === undefined ? whole : quoted.replace(/[!-/:-@[-`{-~]/g, "\\$&"),
  );
}
