/**
 * Documents -> one checked configuration, or every problem of every document in one run. No I/O: what is needed from outside comes with the
 * environment.
 */
import { type Problem, problem } from "../errors.ts";
import { suggest } from "../suggest.ts";
import { canonicalHash } from "./canonical.ts";
import { type ChainResult, checkChain } from "./check-chain.ts";
import { checkMetadataPaths } from "./check-metadata-paths.ts";
import { type MergedDocuments, mergeDocuments } from "./merge.ts";
import { type Place, plainValue } from "./node.ts";
import { parseYaml } from "./parse.ts";
import { catalogue } from "./policy-reference.ts";
import { sortProblems } from "./problems.ts";
import { at, atKey, type Report, readText, withoutEchoes } from "./read.ts";
import { secretsFor } from "./secrets.ts";
import type { CheckEnvironment, Checked, CheckedChain, SourceDocument, Unmatched } from "./types.ts";

/** Never throws because of the documents. Problems come sorted by document, line and column, warnings among them. */
export function checkConfig(documents: readonly SourceDocument[], environment: CheckEnvironment): Checked {
  if (documents.length === 0) {
    return { problems: [problem("no-configuration", { position: startOf(documents), path: "" }, {})] };
  }
  const parsed = documents.map((document) => ({ ...parseYaml(document), origin: document.origin }));
  const problems: Problem[] = parsed.flatMap((document) => document.problems);
  const report = withoutEchoes([...problems], (found) => problems.push(found));
  const merged = mergeDocuments(parsed, report);

  const policies = catalogue(environment.policies.values());
  const results = new Map(
    [...merged.chains].map(([name, place]) => {
      const secret = secretsFor(place.origin, environment.secret);
      return [name, checkChain(name, place, { environment, policies, secret }, report)];
    }),
  );
  // A chain that is said to be missing may stand in what could not be read.
  const known = [...results.keys()].sort();
  const references = {
    chains: results,
    complete: parsed.every((document) => document.problems.length === 0),
    known,
    suggest: suggester(known),
  };
  const before = problems.length;
  const routes = new Map([...merged.routes].map(([name, place]) => [name, readRoute(place, references, report)]));
  const unmatched = readUnmatched(merged.unmatched, references, report);
  // A misspelt route means one of the chains that nothing seems to use.
  if (references.complete && problems.length === before) {
    reportUnused(merged.chains, results, [...routes.values(), unmatched.kind === "chain" ? unmatched.chain : undefined]);
  }

  const chains = new Map<string, CheckedChain>();
  for (const [name, { chain, enabled }] of results) if (chain !== undefined && enabled) chains.set(name, chain);
  const failed = problems.some(({ severity }) => severity === "error");
  if (!failed && saysNothing(merged)) report(problem("everything-denied", { position: startOf(documents), path: "" }, {}));
  if (!failed) checkMetadataPaths(environment.envoy.metadata ?? [], chains.values(), report);
  const sorted = sortProblems(problems);
  if (failed) return { problems: sorted };
  const routeSources = new Map(
    [...merged.routes].map(([name, { origin, keyPosition }]) => [name, { provider: origin?.provider, position: keyPosition }]),
  );
  return { config: Object.freeze({ chains, routes, routeSources, unmatched, hash: hashOf(merged), warnings: sorted }) };
}

/** With `unmatched` somebody has said aloud what becomes of every exchange. */
function saysNothing({ chains, routes, unmatched }: MergedDocuments): boolean {
  return chains.size === 0 && routes.size === 0 && unmatched === undefined;
}

function startOf([first]: readonly SourceDocument[]): Problem["position"] {
  return { uri: first?.uri ?? "configuration", line: 1, column: 1 };
}

interface References {
  readonly chains: ReadonlyMap<string, ChainResult>;
  readonly complete: boolean;
  readonly known: readonly string[];
  readonly suggest: (name: string) => string | undefined;
}

/** Looking for what was meant takes time: thousands of names, each compared with thousands of chains, would take a minute. */
function suggester(known: readonly string[]): (name: string) => string | undefined {
  let left = 100;
  return (name) => {
    left -= 1;
    return left >= 0 ? suggest(name, known) : undefined;
  };
}

/** A chain's name, or `[]`: the empty chain, said aloud. */
function readRoute(place: Place, references: References, report: Report): string | undefined {
  if (place.node.kind === "list" && place.node.items.length === 0) return undefined;
  if (place.node.kind !== "scalar") {
    report(problem("wrong-type", at(place), { expected: "text, the name of a chain, or `[]`", found: `a ${place.node.kind}` }));
    return undefined;
  }
  return readChainName(place, references, report);
}

function readUnmatched(place: Place | undefined, references: References, report: Report): Unmatched {
  if (place === undefined) return { kind: "deny" };
  const { node } = place;
  if (node.kind === "scalar" && (node.value === "deny" || node.value === "pass")) return { kind: node.value };
  const chain = readChainName(place, references, report);
  return chain === undefined ? { kind: "deny" } : { kind: "chain", chain };
}

function readChainName(place: Place, references: References, report: Report): string | undefined {
  const chain = readText(place, report);
  if (chain === undefined) return undefined;
  const { known } = references;
  const found = references.chains.get(chain);
  if (found === undefined && references.complete) {
    report(problem("chain-undefined", at(place), { chain, suggestion: references.suggest(chain), known }));
  }
  if (found?.enabled === false) report(problem("chain-disabled", at(place), { chain }));
  return chain;
}

function reportUnused(
  places: ReadonlyMap<string, Place>,
  chains: ReadonlyMap<string, ChainResult>,
  named: readonly (string | undefined)[],
): void {
  const used = new Set(named);
  for (const [chain, place] of places) {
    const result = chains.get(chain);
    const unused = result?.enabled === true && !used.has(chain);
    if (unused) result.acknowledgements.report(problem("chain-unused", atKey(place), { chain }));
    result?.acknowledgements.reportUnused(["chain-unused"]);
  }
}

function hashOf({ chains, routes, unmatched }: ReturnType<typeof mergeDocuments>): string {
  const plain = (places: ReadonlyMap<string, Place>): unknown =>
    Object.fromEntries([...places].map(([name, { node }]) => [name, plainValue(node)]));
  return canonicalHash({ chains: plain(chains), routes: plain(routes), unmatched: unmatched && plainValue(unmatched.node) });
}
