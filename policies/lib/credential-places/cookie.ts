import { Buffer } from "node:buffer";

/** The values of every cookie of this name in the lines of the `cookie` header (RFC 6265 4.2.1). */
export function cookieValues(lines: readonly Uint8Array[], name: string): readonly Uint8Array[] {
  return lines.flatMap((line) =>
    pairsOf(line)
      .filter((pair) => nameOf(pair) === name)
      .map((pair) => Buffer.from(trimmed(pair.slice(pair.indexOf("=") + 1)), "latin1")),
  );
}

/** The lines without every cookie of this name; the others keep their bytes and their order. The same array when there is nothing to do. */
export function withoutCookie(lines: readonly Uint8Array[], name: string): readonly Uint8Array[] {
  if (cookieValues(lines, name).length === 0) return lines;
  return lines.flatMap((line) => {
    const pairs = pairsOf(line);
    const rest = pairs.filter((pair) => nameOf(pair) !== name);
    if (rest.length === pairs.length) return [line];
    const text = trimmed(rest.join(";"));
    return text === "" ? [] : [Buffer.from(text, "latin1")];
  });
}

/** Latin1, because it gives every byte back as it was. */
function pairsOf(line: Uint8Array): readonly string[] {
  return Buffer.from(line).toString("latin1").split(";");
}

/** Undefined without a `=`: such a piece has no name. */
function nameOf(pair: string): string | undefined {
  const end = pair.indexOf("=");
  return end === -1 ? undefined : trimmed(pair.slice(0, end));
}

/** Without blanks at both ends. Not `trim`, which takes the byte A0 too, and no `[ \t]+$`, which is quadratic in a run of blanks. */
function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;
