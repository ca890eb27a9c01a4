import type { Place } from "../../src/config/node.ts";
import { rootPlace } from "../../src/config/node.ts";
import { parseYaml } from "../../src/config/parse.ts";
import { sortProblems } from "../../src/config/problems.ts";
import { at, type Fields, type Report, readFields, readList, readText, withoutEchoes } from "../../src/config/read.ts";
import { parseVersion } from "../../src/config/semver.ts";
import type { SourceDocument } from "../../src/config/types.ts";
import { type Problem, problem, type Where } from "../../src/errors.ts";

/** `distribution.yaml`: what to build. */
export interface Distribution {
  /** Becomes the name of the package. */
  readonly name: string;
  /** Semver of the distribution, without a leading v. */
  readonly version: string;
  readonly policies: readonly PolicyRequest[];
}

/** An item of `policies`: where policies come from. */
export interface PolicyRequest {
  readonly source: PolicySource;
  /** Where it says so. */
  readonly where: Where;
}

export type PolicySource =
  /** A version of a policy that comes with the engine: `set-header@2`, as a step of a chain would name it. */
  | { readonly kind: "shipped"; readonly reference: string }
  /** A folder with a `policy.yaml`, or one that holds such folders as `vVERSION` or `NAME/vVERSION`; relative to the manifest. */
  | { readonly kind: "folder"; readonly folder: string }
  /** A package of a registry; `range` is any that npm takes. */
  | { readonly kind: "npm"; readonly package: string; readonly range: string }
  /** A file as `npm pack` makes it; relative to the manifest. */
  | { readonly kind: "tarball"; readonly file: string };

/** Policies in one manifest; more would be a mistake of whatever wrote it. */
export const policyRequestsMax = 500;

/** Reads a manifest, or says everything that is wrong with it. Never throws because of the text. */
export function readDistribution(
  document: SourceDocument,
): { readonly distribution: Distribution } | { readonly problems: readonly Problem[] } {
  const { root, problems } = parseYaml(document);
  const found = [...problems];
  const report = withoutEchoes(problems, (next) => found.push(next));
  const fields = root && readFields(rootPlace(root), ["name", "version", "policies"], report);
  const distribution = fields && {
    name: readName(fields.required("name", "what the distribution is called, such as `acme-gateway`"), report),
    version: readVersion(fields.required("version", "the version of this distribution, such as `1.0.0`"), report),
    policies: readPolicies(fields, report),
  };
  return distribution === undefined || found.length > 0 ? { problems: sortProblems(found) } : { distribution };
}

/** One way to say where a policy comes from, in one line: what the lock and `list` show. */
export function sourceText(source: PolicySource): string {
  switch (source.kind) {
    case "shipped":
      return `shipped:${source.reference}`;
    case "folder":
      return `folder:${source.folder}`;
    case "npm":
      return `npm:${source.package}@${source.range}`;
    case "tarball":
      return `tarball:${source.file}`;
  }
}

function readName(place: Place | undefined, report: Report): string {
  const name = readText(place, report) ?? "";
  if (place !== undefined && name !== "" && !(name.length <= 63 && /^[a-z][a-z\d]*(-[a-z\d]+)*$/.test(name))) {
    const rule = "up to 63 lower-case letters and digits in words joined by `-`";
    report(problem("invalid-name", at(place), { name, kind: "distribution", rule }));
  }
  return name;
}

function readVersion(place: Place | undefined, report: Report): string {
  const value = place?.node.kind === "scalar" ? place.node.value : undefined;
  const version = typeof value === "number" ? String(value) : readText(place, report);
  if (place !== undefined && version !== undefined && (typeof value === "number" || parseVersion(version) === undefined)) {
    report(problem("manifest-version", at(place), { found: version }));
  }
  return version ?? "";
}

function readPolicies(fields: Fields, report: Report): readonly PolicyRequest[] {
  const place = fields.required("policies", "a list of where the policies come from");
  const items = (place && readList(place, report)) ?? [];
  if (place !== undefined && place.node.kind === "list" && items.length === 0)
    report(problem("empty-list", at(place), { what: "policies" }));
  if (place !== undefined && items.length > policyRequestsMax) {
    report(problem("too-many", at(place), { what: "policies", found: items.length, max: policyRequestsMax }));
    return [];
  }
  return items.flatMap((item) => {
    const source = readSource(item, report);
    return source === undefined ? [] : [{ source, where: at(item) }];
  });
}

const sourceKeys = ["shipped", "folder", "npm", "tarball"] as const;

function readSource(place: Place, report: Report): PolicySource | undefined {
  const fields = readFields(place, [...sourceKeys, "range"], report);
  if (fields === undefined) return undefined;
  const given = sourceKeys.filter((key) => fields.optional(key) !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    report(problem("distribution-source", at(place), { given }));
    return undefined;
  }
  const range = fields.optional("range");
  if (range !== undefined && kind !== "npm") {
    report(problem("unknown-key", at(range), { key: "range", suggestion: undefined, known: [kind] }));
    return undefined;
  }
  const text = readText(fields.optional(kind), report);
  if (kind === "npm") {
    const wanted = readText(fields.required("range", "the versions that will do, such as `^1.2.0`"), report);
    return text === undefined || wanted === undefined ? undefined : readPackage(place, text, wanted, report);
  }
  if (text === undefined) return undefined;
  switch (kind) {
    case "shipped":
      return { kind, reference: text };
    case "folder":
      return { kind, folder: text };
    case "tarball":
      return { kind, file: text };
  }
}

/** Both become arguments of npm: nothing that it could read as an option, a path or an address. */
function readPackage(place: Place, name: string, range: string, report: Report): PolicySource | undefined {
  const nameRule = "a package's name, such as `@acme/policy-geo`";
  if (!/^(?:@[a-z\d][a-z\d._-]*\/)?[a-z\d][a-z\d._-]*$/.test(name)) {
    report(problem("invalid-name", at(place), { name, kind: "package", rule: nameRule }));
    return undefined;
  }
  if (!/^[\w.^~<>=*| +-]+$/.test(range) || range.startsWith("-")) {
    report(
      problem("invalid-name", at(place), { name: range, kind: "range of versions", rule: "a range as npm takes it, such as `^1.2.0`" }),
    );
    return undefined;
  }
  return { kind: "npm", package: name, range };
}
