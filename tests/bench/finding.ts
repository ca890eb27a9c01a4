/** One line of what a run has come to. */
export interface Finding {
  readonly what: string;
  readonly saw: string;
  readonly wanted: string;
  readonly ok: boolean;
  readonly details: readonly string[];
}

export function printFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings
    .flatMap(({ ok, what, saw, wanted, details }) => [
      `${ok ? "ok   " : "WRONG"}  ${what.padEnd(width)}  ${saw}${ok ? "" : `, should be ${wanted}`}`,
      ...details.map((detail) => `         ${detail}`),
    ])
    .join("\n");
}
