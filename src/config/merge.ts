/** Several documents as if they were one: what they define, and where two of them say different things. */
import { problem } from "../errors.ts";
import { canonicalJson } from "./canonical.ts";
import { type Place, plainValue, rootPlace } from "./node.ts";
import type { ParsedDocument } from "./parse.ts";
import { atKey, type Report, readEntries, readFields, readFormatVersion } from "./read.ts";
import { reportMisplacedSecrets, reportSecretInKey } from "./secrets.ts";

export interface MergedDocuments {
  readonly chains: ReadonlyMap<string, Place>;
  readonly routes: ReadonlyMap<string, Place>;
  readonly unmatched: Place | undefined;
}

/** Reports what is wrong at the top level of each document, and what two documents define; the first definition is kept. */
export function mergeDocuments(documents: readonly ParsedDocument[], report: Report): MergedDocuments {
  const chains = new Map<string, Place>();
  const routes = new Map<string, Place>();
  let unmatched: Place | undefined;
  for (const { root } of documents) {
    const fields = root && readFields(rootPlace(root), ["version", "chains", "routes", "unmatched"], report);
    if (fields === undefined) continue;
    readFormatVersion(fields, report);
    addDefinitions("chain", readEntries(fields.optional("chains"), report), chains, report);
    addDefinitions("route", readEntries(fields.optional("routes"), report), routes, report);
    reportMisplacedSecrets(fields.optional("routes"), report);
    const answer = fields.optional("unmatched");
    reportMisplacedSecrets(answer, report);
    if (answer !== undefined && unmatched !== undefined && !equal(answer, unmatched)) {
      report(problem("unmatched-conflict", { ...atKey(answer), related: [{ message: "set here", position: unmatched.keyPosition }] }, {}));
    }
    unmatched ??= answer;
  }
  return { chains, routes, unmatched };
}

/** Even two equal definitions are refused: a later change of one of them would be a surprise. */
function addDefinitions(
  kind: "chain" | "route",
  entries: readonly (readonly [string, Place])[],
  defined: Map<string, Place>,
  report: Report,
): void {
  for (const [name, place] of entries) {
    if (kind === "chain") reportSecretInKey(name, place, report);
    const earlier = defined.get(name);
    if (earlier === undefined) {
      defined.set(name, place);
      continue;
    }
    const related = [{ message: "first defined here", position: earlier.keyPosition }];
    report(problem("duplicate-definition", { ...atKey(place), related }, { kind, name }));
  }
}

function equal(left: Place, right: Place): boolean {
  return canonicalJson(plainValue(left.node)) === canonicalJson(plainValue(right.node));
}
