/** Which secrets text from elsewhere may refer to: `env:NAME`, `env:PARTNER_*`, `file:/run/secrets/key`, `file:/run/partner/*`. */
import { posix } from "node:path";
import { problem } from "../errors.ts";
import type { Place } from "./node.ts";
import { at, type Report, readList, readText } from "./read.ts";
import type { SecretReference } from "./types.ts";

export interface AllowedSecret {
  readonly kind: SecretReference["kind"];
  /** A whole name, or the beginning of some. */
  readonly name: string;
  readonly match: "whole" | "beginning";
}

export function readAllowedSecrets(place: Place | undefined, report: Report): readonly AllowedSecret[] {
  const items = (place && readList(place, report)) ?? [];
  return items.flatMap((item) => {
    const text = readText(item, report);
    const allowed = text === undefined ? undefined : parse(text);
    if (text !== undefined && allowed === undefined) report(problem("invalid-name", at(item), { name: text, kind: "secret", rule }));
    return allowed === undefined ? [] : [allowed];
  });
}

/** The beginning of a file's path ends at a folder, and means the files directly in it. */
export function isAllowed({ kind, name }: SecretReference, allowed: readonly AllowedSecret[]): boolean {
  return allowed.some((one) => {
    if (one.kind !== kind) return false;
    if (one.match === "whole") return one.name === name;
    if (!name.startsWith(one.name)) return false;
    // `..` is a folder: from there the way would lead anywhere.
    return kind === "env" || /^(?!\.{1,2}$)[^/]+$/.test(name.slice(one.name.length));
  });
}

const rule = "`env:NAME`, `env:BEGINNING_*`, `file:/PATH` or `file:/FOLDER/*`, a path absolute and without `.`, `..` and `//`";

function parse(text: string): AllowedSecret | undefined {
  const [, variable, anyVariable] = /^env:([A-Za-z_]\w*)(\*?)$/.exec(text) ?? [];
  if (variable !== undefined) return { kind: "env", name: variable, match: anyVariable === "" ? "whole" : "beginning" };
  const [, path, anyFile] = /^file:(\/[^*]*)(\*?)$/.exec(text) ?? [];
  if (path === undefined || posix.normalize(path) !== path) return undefined;
  if (anyFile === "*") return path.endsWith("/") ? { kind: "file", name: path, match: "beginning" } : undefined;
  return path.endsWith("/") ? undefined : { kind: "file", name: path, match: "whole" };
}
