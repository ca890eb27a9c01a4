/** One line of what a run has come to. */
export interface Finding {
  readonly what: string;
  readonly saw: string;
  readonly wanted: string;
  readonly ok: boolean;
  readonly details: readonly string[];
}

/** For people: a line for each, and its details. */
export function findingsTable(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings
    .flatMap(({ ok, what, saw, wanted, details }) => [
      `${ok ? "ok   " : "WRONG"}  ${what.padEnd(width)}  ${saw}${ok ? "" : `, should be ${wanted}`}`,
      ...details.map((detail) => `         ${detail}`),
    ])
    .join("\n");
}

/** What a number of bytes may have grown by. */
export function growth(what: string, before: number, after: number, ratioMax: number): Finding {
  const ratio = after / before - 1;
  return {
    what,
    saw: `${megabytes(before)} and ${megabytes(after)} MB (${ratio < 0 ? "" : "+"}${(ratio * 100).toFixed(1)} %)`,
    wanted: `at most +${ratioMax * 100} %`,
    ok: ratio <= ratioMax,
    details: [],
  };
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);
