/** Several documents as if they were one: what they define, and where two of them say different things. */
import { type Problem, problem } from "../errors.ts";
import { canonicalJson } from "./canonical.ts";
import { type Place, plainValue, rootPlace } from "./node.ts";
import type { ParsedDocument } from "./parse.ts";
import { at, atKey, type Report, readEntries, readFields, readFormatVersion } from "./read.ts";
import { reportMisplacedSecrets, reportSecretInKey } from "./secrets.ts";
import { settingsKeys } from "./settings.ts";
import type { DocumentOrigin } from "./types.ts";

export interface MergedDocuments {
  readonly chains: ReadonlyMap<string, Definition>;
  readonly routes: ReadonlyMap<string, Definition>;
  readonly unmatched: Definition | undefined;
}

/** What stands at a place, and who delivered it. */
export interface Definition extends Place {
  readonly origin: DocumentOrigin | undefined;
}

export interface DeliveredDocument extends ParsedDocument {
  readonly origin: DocumentOrigin | undefined;
}

/**
 * Reports what is wrong at the top level of each document, and what two documents define. What counts is the definition of the highest
 * precedence, and the first of several of the same.
 */
export function mergeDocuments(documents: readonly DeliveredDocument[], report: Report): MergedDocuments {
  const chains = new Map<string, Definition>();
  const routes = new Map<string, Definition>();
  let unmatched: Definition | undefined;
  for (const { root, origin } of documents.toSorted((one, other) => precedenceOf(other) - precedenceOf(one))) {
    if (root !== undefined && reportSettings(rootPlace(root), report)) continue;
    const fields = root && readFields(rootPlace(root), configKeys, report);
    if (fields === undefined) continue;
    readFormatVersion(fields, report);
    const own = (place: Place): Definition => ({ ...place, origin });
    for (const [name, place] of readEntries(fields.optional("chains"), report)) {
      reportSecretInKey(name, place, report);
      define({ kind: "chain", name }, own(place), chains, report);
    }
    for (const [name, place] of readEntries(fields.optional("routes"), report)) define({ kind: "route", name }, own(place), routes, report);
    reportMisplacedSecrets(fields.optional("routes"), report);
    const answer = fields.optional("unmatched");
    reportMisplacedSecrets(answer, report);
    if (answer === undefined) continue;
    if (unmatched !== undefined && !equal(answer, unmatched)) reportUnmatched(own(answer), unmatched, report);
    unmatched ??= own(answer);
  }
  return { chains, routes, unmatched };
}

const configKeys = ["version", "chains", "routes", "unmatched"];

/** Reports a settings file as a whole: that its keys are unknown here, each of them, helps nobody. */
function reportSettings(place: Place, report: Report): boolean {
  const keys = place.node.kind === "map" ? [...place.node.entries.keys()].filter((key) => key !== "version") : [];
  const isSettings = keys.length > 0 && keys.every((key) => settingsKeys.includes(key));
  if (isSettings) report(problem("settings-given", at(place), { keys }));
  return isSettings;
}

/** Even two equal definitions are refused: a later change of one of them would be a surprise. */
function define(
  what: { readonly kind: "chain" | "route"; readonly name: string },
  place: Definition,
  defined: Map<string, Definition>,
  report: Report,
): void {
  const earlier = defined.get(what.name);
  if (earlier === undefined) {
    defined.set(what.name, place);
  } else if (precedenceOf(earlier) > precedenceOf(place)) {
    report(shadowed(`the ${what.kind} \`${what.name}\``, place, earlier));
  } else {
    const related = [{ message: "first defined here", position: earlier.keyPosition }];
    report(problem("duplicate-definition", { ...atKey(place), related }, what));
  }
}

function reportUnmatched(place: Definition, earlier: Definition, report: Report): void {
  if (precedenceOf(earlier) > precedenceOf(place)) return report(shadowed("`unmatched`", place, earlier));
  report(problem("unmatched-conflict", { ...atKey(place), related: [{ message: "set here", position: earlier.keyPosition }] }, {}));
}

function shadowed(what: string, place: Definition, by: Definition): Problem {
  const related = [{ message: "what counts", position: by.keyPosition }];
  return problem("definition-shadowed", { ...atKey(place), related }, { what, provider: by.origin?.provider ?? "the other document" });
}

function precedenceOf({ origin }: Pick<Definition, "origin">): number {
  return origin?.precedence ?? 0;
}

function equal(left: Place, right: Place): boolean {
  return canonicalJson(plainValue(left.node)) === canonicalJson(plainValue(right.node));
}
