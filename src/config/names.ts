import { problem } from "../errors.ts";
import type { Place } from "./node.ts";
import type { Report } from "./read.ts";

/** The name of a chain, a step or a provider: it becomes a label of metrics and a part of paths. */
export function checkName(name: string, kind: "chain" | "step" | "provider", place: Place, report: Report): boolean {
  const reserved = kind === "chain" && (name === "deny" || name === "pass");
  const valid = /^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/.test(name) && !reserved;
  const rule = reserved
    ? "another word: `unmatched` gives this one a meaning"
    : "1 to 63 letters, digits, `.`, `_` and `-`, the first and the last a letter or digit";
  if (!valid) report(problem("invalid-name", { position: place.keyPosition, path: place.path }, { name, kind, rule }));
  return valid;
}
