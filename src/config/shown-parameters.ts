/** What of a step's parameters people may see: references as they are written, and no secret that stands in the document itself. */
import { problem } from "../errors.ts";
import { canonicalHash } from "./canonical.ts";
import type { ScalarNode } from "./node.ts";
import type { Report } from "./read.ts";
import type { SecretMark } from "./schema-engine.ts";
import type { ResolvedText } from "./secrets.ts";

/** A text parameter as it stands in the document. */
export interface WrittenText {
  readonly node: ScalarNode;
  readonly text: string;
  readonly path: string;
  readonly resolved: ResolvedText;
}

/** By JSON Pointer. */
type Texts = ReadonlyMap<string, WrittenText>;
type Marks = ReadonlyMap<string, SecretMark>;

const redacted = "[redacted]";

/** What to show in place of the resolved text, for each place where that differs. Defaults that are secrets are not shown either. */
export function shownTexts(texts: Texts, marks: Marks): ReadonlyMap<string, string> {
  const shown = new Map([...marks.keys()].map((pointer) => [pointer, redacted]));
  for (const [pointer, written] of texts) shown.set(pointer, isLiteralSecret(pointer, written, marks) ? redacted : written.text);
  return shown;
}

/** SHA-256 of each secret that is not shown, hex, by JSON Pointer. */
export function literalSecrets(texts: Texts, marks: Marks): ReadonlyMap<string, string> {
  const secrets = [...texts].filter(([pointer, written]) => isLiteralSecret(pointer, written, marks));
  return new Map(secrets.map(([pointer, { text }]) => [pointer, canonicalHash(text)]));
}

/** A digest may stand in a document, since it cannot be turned back; a reference that is misspelt is reported as such. */
export function reportLiteralSecrets(texts: Texts, marks: Marks, report: Report): void {
  for (const [pointer, written] of texts) {
    const meant = written.resolved.faults.length > 0 || marks.get(pointer) === "digest";
    if (meant || !isLiteralSecret(pointer, written, marks)) continue;
    const what = isPrivateKey(written.text) ? "a private key" : "a secret";
    report(problem("secret-literal", { position: written.node.position, path: written.path }, { what }));
  }
}

function isLiteralSecret(pointer: string, { text, resolved }: WrittenText, marks: Marks): boolean {
  return !resolved.holdsSecret && (marks.has(pointer) || isPrivateKey(text));
}

/** PEM (RFC 7468 10 and 11, and what OpenSSL and OpenSSH write). */
function isPrivateKey(text: string): boolean {
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);
}
