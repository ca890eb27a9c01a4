/**
 * For each UTF-16 unit of a scalar's value, and for the place after its end, the offset in the scalar's source where it comes from.
 * `source` is the scalar as written: quotes, block header, escapes, line folds and indentation included.
 *
 * Everything but white space and escapes is in the source as it is in the value, in the same order, so one walk suffices: white space may
 * have been folded, joined or cut, and any other character is the next one that is not white space.
 */
export function sourceOffsets(value: string, source: string): readonly number[] {
  const style = styleOf(source);
  const offsets: number[] = [];
  let at = style.start;
  let index = 0;
  while (index < value.length) {
    const white = isWhite(value.charAt(index));
    at = white ? skip(style.joints, source, at) : skip(style.gaps, source, at);
    const length = tokenLength(style, source, at);
    // `\U0001f600` is one token for two units.
    const units = length === 10 ? Math.min(2, value.length - index) : 1;
    for (let unit = 0; unit < units; unit += 1) offsets.push(Math.min(at, style.end));
    at += length;
    index += units;
  }
  offsets.push(Math.min(at, style.end));
  return offsets;
}

interface Style {
  readonly start: number;
  readonly end: number;
  /** What leaves nothing in the value, at this place. */
  readonly joints: RegExp;
  /** What may stand between two characters that are not white space. */
  readonly gaps: RegExp;
  /** An escape of one character. */
  readonly escape: RegExp;
}

const nothing = /(?:)/y;

function styleOf(source: string): Style {
  const first = source.charAt(0);
  const quoted = { start: 1, end: Math.max(source.length - 1, 1) };
  if (first === '"') {
    return {
      ...quoted,
      joints: /(?:\\\r?\n[ \t]*)*/y,
      gaps: /(?:[ \t\r\n]|\\\r?\n|\\[ntr \t]|\\x(?:20|09|0[aAdD])|\\u00(?:20|09|0[aAdD]))*/y,
      escape: /\\(?:x.{2}|u.{4}|U.{8}|[\s\S])/y,
    };
  }
  const gaps = /[ \t\r\n]*/y;
  if (first === "'") return { ...quoted, joints: nothing, gaps, escape: /''/y };
  // A block scalar starts after its header line: `|-`, `>2`, maybe a comment.
  const start = first === "|" || first === ">" ? source.indexOf("\n") + 1 || source.length : 0;
  return { start, end: source.length, joints: nothing, gaps, escape: nothing };
}

function skip(what: RegExp, source: string, from: number): number {
  return from + matchLength(what, source, from);
}

function tokenLength(style: Style, source: string, at: number): number {
  return Math.max(matchLength(style.escape, source, at), 1);
}

function matchLength(what: RegExp, source: string, at: number): number {
  what.lastIndex = at;
  return what.exec(source)?.[0].length ?? 0;
}

function isWhite(character: string): boolean {
  return character === " " || character === "\t" || character === "\n" || character === "\r";
}
