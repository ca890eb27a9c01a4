/**
 * Secret references in text: `${env:NAME}` and `${file:PATH}`, whole or inside a value; `$${` is a literal `${`. Replaced after YAML was
 * parsed, so that no secret can add structure, and only in text parameters. A secret's value is in no problem.
 */
import { type Problem, problem } from "../errors.ts";
import { entryPlace, itemPlace, type Place, type ScalarNode } from "./node.ts";
import type { Report } from "./read.ts";
import type { CheckEnvironment, DocumentOrigin, SecretReference } from "./types.ts";

export interface ResolvedText {
  /** References replaced, escapes undone. Where there is a fault the text stands as it was written. */
  readonly text: string;
  readonly holdsSecret: boolean;
  readonly faults: readonly SecretFault[];
}

export type SecretFault =
  | { readonly kind: "syntax"; readonly offset: number }
  | { readonly kind: "missing"; readonly offset: number; readonly reference: string; readonly detail: string }
  | { readonly kind: "refused"; readonly offset: number; readonly reference: string; readonly provider: string };

/** `refused` names the provider whose text may not use the reference. */
export type ReadSecret = (reference: SecretReference) => ReturnType<CheckEnvironment["secret"]> | { readonly refused: string };

/** Reads secrets for what a document says. A reference that its provider may not use is not read: whether it is there is told to nobody. */
export function secretsFor(origin: DocumentOrigin | undefined, read: CheckEnvironment["secret"]): ReadSecret {
  if (origin === undefined) return read;
  return (reference) => (origin.mayUseSecret(reference) ? read(reference) : { refused: origin.provider });
}

/** Replaces every reference of a text. One trailing newline of a file is cut: editors and `echo` add it. */
export function resolveText(text: string, secret: ReadSecret): ResolvedText {
  const faults: SecretFault[] = [];
  let holdsSecret = false;
  const resolved = text.replace(markers, (marker, content: string | undefined, closing: string | undefined, offset: number) => {
    if (content === undefined) return "${";
    const reference = closing === "" ? undefined : parseReference(content);
    if (reference === undefined) {
      faults.push({ kind: "syntax", offset });
      return marker;
    }
    holdsSecret = true;
    const found = secret(reference);
    if ("value" in found) return reference.kind === "file" ? found.value.replace(/\r?\n$/, "") : found.value;
    if ("refused" in found) faults.push({ kind: "refused", offset, reference: marker, provider: found.refused });
    else faults.push({ kind: "missing", offset, reference: marker, detail: found.missing });
    return marker;
  });
  return { text: resolved, holdsSecret, faults };
}

/** Reports the faults of a text at their places in the document. */
export function reportSecretFaults(faults: readonly SecretFault[], node: ScalarNode, path: string, report: Report): void {
  for (const fault of faults) report(secretProblem(fault, { position: node.positionOf(fault.offset), path }));
}

function secretProblem(fault: SecretFault, where: Pick<Problem, "position" | "path">): Problem {
  switch (fault.kind) {
    case "syntax":
      return problem("secret-syntax", where, {});
    case "missing":
      return problem("secret-missing", where, { reference: fault.reference, detail: fault.detail });
    case "refused":
      return problem("secret-not-allowed", where, { reference: fault.reference, provider: fault.provider });
    default:
      return fault satisfies never;
  }
}

/** Reports every reference in a part of a document where none is resolved: it would be taken literally. */
export function reportMisplacedSecrets(place: Place | undefined, report: Report): void {
  if (place === undefined) return;
  const { node, path } = place;
  if (node.kind === "scalar") {
    for (const [offset, reference] of referencesIn(node.value)) {
      report(problem("secret-misplaced", { position: node.positionOf(offset), path }, { reference, place: "this place" }));
    }
  } else if (node.kind === "list") {
    for (const [index, item] of node.items.entries()) reportMisplacedSecrets(itemPlace(place, index, item), report);
  } else {
    for (const [key, entry] of node.entries) {
      const child = entryPlace(place, key, entry);
      reportSecretInKey(key, child, report);
      reportMisplacedSecrets(child, report);
    }
  }
}

export function reportSecretInKey(key: string, { keyPosition, path }: Place, report: Report): void {
  const where = { position: keyPosition, path };
  for (const [, reference] of referencesIn(key)) report(problem("secret-misplaced", where, { reference, place: "a key" }));
}

/** Offset and text of every well-formed reference. */
export function referencesIn(value: unknown): readonly (readonly [number, string])[] {
  if (typeof value !== "string") return [];
  return [...value.matchAll(markers)]
    .filter(([, content, closing]) => content !== undefined && closing === "}" && parseReference(content) !== undefined)
    .map((match) => [match.index, match[0]] as const);
}

const markers = /\$\$\{|\$\{([^}]*)(\}?)/g;

export function parseReference(content: string): SecretReference | undefined {
  const [, kind, name] = /^(env|file):(.+)$/s.exec(content) ?? [];
  if (name === undefined) return undefined;
  if (kind === "env") return /^[A-Za-z_]\w*$/.test(name) ? { kind: "env", name } : undefined;
  return { kind: "file", name };
}
