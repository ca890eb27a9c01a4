import { type ErrorCode, type Problem, problem, problemCatalogue, type Severity } from "../errors.ts";

/** Something wrong with a running Envoy or engine. */
export interface Finding {
  readonly code: ErrorCode;
  readonly severity: Severity;
  readonly message: string;
  readonly remedy: string;
  /** The page or the URL that shows it. */
  readonly source: string;
  /** Where it stands on that page; none when it is the page as a whole, several when one thing is wrong in several places. */
  readonly paths: readonly string[];
}

/** Like `problem`, for what is no text of ours. */
export function finding<Code extends ErrorCode>(code: Code, source: string, facts: Parameters<typeof problem<Code>>[2]): Finding {
  return asFinding(problem(code, { position: { uri: source, line: 1, column: 1 }, path: "" }, facts));
}

export function asFinding({ code, severity, message, remedy, position, path }: Problem): Finding {
  return { code, severity, message, remedy, source: position.uri, paths: path === "" ? [] : [path] };
}

const ranks = new Map(Object.keys(problemCatalogue).map((code, rank) => [code, rank]));

/** The worst first: errors before warnings, then in the order of the catalogue. One thing that is wrong in several places is one finding. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const grouped = new Map<string, Finding>();
  for (const one of findings) {
    const key = `${one.code} ${one.message}`;
    const known = grouped.get(key);
    grouped.set(key, known === undefined ? one : { ...known, paths: [...known.paths, ...one.paths] });
  }
  const rank = ({ severity, code }: Finding): number => (severity === "error" ? 0 : ranks.size) + (ranks.get(code) ?? 0);
  return [...grouped.values()].sort((left, right) => rank(left) - rank(right));
}
