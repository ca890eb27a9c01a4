/** Text in a double-quoted YAML scalar: the same as in JSON, and what YAML calls not printable is escaped too. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Moves a block of lines, the first included, to the right. */
export function indented(text: string, columns: number): string {
  return text.replace(/^(?=.)/gm, " ".repeat(columns));
}

/** As protobuf's JSON writes a duration. */
export function seconds(milliseconds: number): string {
  return `${milliseconds / 1000}s`;
}
