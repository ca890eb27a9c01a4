/**
 * The test of a pattern that is nothing but a text, perhaps anchored (`^/api/`, `\.example\.com$`), without a regular expression: several
 * times faster. Undefined for every other pattern, and for text beyond ASCII.
 */
export function literalTest(source: string): ((subject: string) => boolean) | undefined {
  const [, start, body = "", end] = /^(\^?)((?:[\w /:;,=@#%&~'"<>!`-]|\\[./+*?()[\]{}|^$\\-])*)(\$?)$/.exec(source) ?? [];
  if (start === undefined) return undefined;
  const text = body.replace(/\\(.)/g, "$1");
  if (start !== "" && end !== "") return (subject) => subject === text;
  if (start !== "") return (subject) => subject.startsWith(text);
  if (end !== "") return (subject) => subject.endsWith(text);
  return (subject) => subject.includes(text);
}
