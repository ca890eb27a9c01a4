import type { Problem } from "../errors.ts";

const problemsMax = 50;
const textBytesMax = 16 * 1024;

/** What a provider's source is told about a refused state: every problem with its path and remedy, as far as there is room. */
export function refusalText(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === "error");
  const lines = errors.slice(0, problemsMax).map(({ code, message, remedy, position, path }) => {
    const related = path === "" ? "" : ` at ${path}`;
    return `${position.uri}${related}: ${code}: ${message}; ${remedy}`;
  });
  const shown: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > textBytesMax) break;
    shown.push(line);
  }
  const left = errors.length - shown.length;
  return [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join("\n");
}
