/** A header as it came over the wire: the name in lower case, the value with one character for each byte. */
export type HeaderLine = readonly [name: string, value: string];

/** @param raw names and values in turn, as Node gives them */
export function headerLines(raw: readonly string[]): readonly HeaderLine[] {
  const lines: HeaderLine[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) lines.push([(raw[index] ?? "").toLowerCase(), raw[index + 1] ?? ""]);
  return lines;
}

/** Every value of a header in the order of its lines; empty when it is absent. */
export function valuesOf(lines: readonly HeaderLine[], name: string): readonly string[] {
  return lines.filter(([other]) => other === name).map(([, value]) => value);
}
