import { diff, inspect } from "node:util";
import type { Difference } from "./cases.ts";

/** `FILE:LINE:COLUMN: PATH: MESSAGE`, what was expected, what was found. */
export function differenceLines({ position, path, message, values, detail }: Difference): readonly string[] {
  return [
    `${position.uri}:${position.line}:${position.column}: ${path}: ${message}`,
    ...(values === undefined ? [] : valueLines(values)),
    ...(detail === undefined ? [] : detail.split("\n").map(visible)),
  ];
}

function valueLines({ expected, found }: NonNullable<Difference["values"]>): readonly string[] {
  if (typeof expected === "string" && typeof found === "string" && /\n/.test(expected + found)) return textDiffLines(expected, found);
  return [
    ...(expected === undefined ? [] : [`  expected ${shown(expected)}`]),
    ...(found === undefined ? [] : [`  found    ${shown(found)}`]),
  ];
}

/** Lines that are only expected have a `-`, lines that are only found a `+`. */
function textDiffLines(expected: string, found: string): readonly string[] {
  const signs = { "-1": "+", 0: " ", 1: "-" } as const;
  return diff(expected.split("\n"), found.split("\n")).map(([kind, line]) => `  ${signs[kind]} ${visible(line)}`);
}

const shown = (value: unknown): string =>
  visible(typeof value === "string" ? JSON.stringify(value) : inspect(value, { depth: 10, breakLength: Number.POSITIVE_INFINITY }));

/** Text from a case or a policy may hold terminal escapes. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
}
