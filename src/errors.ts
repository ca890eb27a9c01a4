/**
 * The one catalogue of error codes: for each code what it means, the message built from facts, and how to mend it.
 *
 * Style of a message: lower case, no final period, what the user wrote in backticks, the cause after a colon. Facts never hold secret
 * values. `docs/errors.md` is generated from this file and `npm run check` proves that every code has a golden example.
 */

/** A place in a text. Line and column count from 1. */
export interface Position {
  readonly uri: string;
  readonly line: number;
  readonly column: number;
}

export type Severity = "error" | "warning";

/** Something wrong with a configuration, settings or manifest, with everything a person needs to mend it. */
export interface Problem {
  readonly code: ErrorCode;
  readonly severity: Severity;
  readonly message: string;
  readonly remedy: string;
  readonly position: Position;
  /** Path inside the document, `chains.api.steps[0].when`; empty for the document itself. */
  readonly path: string;
  /** Other places that play a part, such as the first of two definitions. */
  readonly related?: readonly { readonly message: string; readonly position: Position }[];
}

interface Entry<Facts> {
  /** One sentence for the documentation: when this happens. */
  readonly meaning: string;
  readonly severity?: Severity;
  readonly message: (facts: Facts) => string;
  readonly remedy: (facts: Facts) => string;
}

function entry<Facts>(entry: Entry<Facts>): Entry<Facts> {
  return entry;
}

const didYouMean = (suggestion: string | undefined, otherwise: string): string =>
  suggestion === undefined ? otherwise : `did you mean \`${suggestion}\`?`;

/** Problems of configuration, settings and manifests: found at load, reported all at once. */
export const problemCatalogue = {
  "yaml-syntax": entry<{ detail: string }>({
    meaning: "The text is not valid YAML.",
    message: (f) => `invalid YAML: ${f.detail}`,
    remedy: () => "mend the syntax at this position",
  }),
  "unknown-key": entry<{ key: string; suggestion?: string; known: readonly string[] }>({
    meaning: "A key that does not exist in this place.",
    message: (f) => `unknown key \`${f.key}\``,
    remedy: (f) => didYouMean(f.suggestion, `remove it, or use one of: ${f.known.join(", ")}`),
  }),
} as const;

export type ErrorCode = keyof typeof problemCatalogue;

type FactsOf<Code extends ErrorCode> = (typeof problemCatalogue)[Code] extends Entry<infer Facts> ? Facts : never;

/** Builds a problem from its code and facts. */
export function problem<Code extends ErrorCode>(
  code: Code,
  where: Pick<Problem, "position" | "path" | "related">,
  facts: FactsOf<Code>,
): Problem {
  const { message, remedy, severity = "error" } = problemCatalogue[code] as unknown as Entry<FactsOf<Code>>;
  return { code, severity, message: message(facts), remedy: remedy(facts), ...where };
}
