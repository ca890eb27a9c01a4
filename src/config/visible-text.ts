/** Text from a document may hold line breaks and terminal escapes: here they are seen, and do nothing. */
export function visibleText(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
}
