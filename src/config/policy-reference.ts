/** `policy: name@version` -> the release that it means. */
import { problem, type Where } from "../errors.ts";
import { suggest } from "../suggest.ts";
import type { Report } from "./read.ts";
import { compareVersions, parseVersion, type Version } from "./semver.ts";
import type { PolicyManifest, PolicyRelease } from "./types.ts";

/** What a reference can mean. */
export interface NamedRelease {
  readonly manifest: Pick<PolicyManifest, "name" | "version">;
}

/** Policy name to its versions, the newest first. */
export type PolicyCatalogue<Release extends NamedRelease = PolicyRelease> = ReadonlyMap<string, readonly CataloguedRelease<Release>[]>;

interface CataloguedRelease<Release extends NamedRelease> {
  readonly version: Version;
  readonly release: Release;
}

export function catalogue<Release extends NamedRelease>(policies: Iterable<Release>): PolicyCatalogue<Release> {
  const byName = new Map<string, CataloguedRelease<Release>[]>();
  for (const release of policies) {
    const version = parseVersion(release.manifest.version);
    if (version === undefined) continue;
    const versions = byName.get(release.manifest.name) ?? [];
    byName.set(release.manifest.name, versions);
    versions.push({ version, release });
  }
  for (const versions of byName.values()) versions.sort((left, right) => compareVersions(right.version, left.version));
  return byName;
}

/**
 * `@2` is the newest 2.x and `@2.1` the newest 2.1.x of this distribution, prereleases left aside; `@2.0.0` or `@2.0.0-rc.1` is exactly
 * that one. `@0` is refused, `@0.3` is not: below 1.0.0 each minor version may break the one before (semver.org 4).
 */
export function resolvePolicy<Release extends NamedRelease>(
  text: string,
  where: Where,
  policies: PolicyCatalogue<Release>,
  report: Report,
): Release | undefined {
  const [policy = "", wanted] = text.split(/@(.*)/s);
  const versions = policies.get(policy);
  if (versions === undefined) {
    const known = [...policies.keys()].sort();
    report(problem("policy-unknown", where, { policy, suggestion: suggest(policy, known), known }));
    return undefined;
  }
  const names = versions.map(({ release }) => release.manifest.version);
  const fits = wanted === undefined ? undefined : versionFilter(wanted);
  if (wanted === undefined || fits === undefined) {
    report(problem("policy-reference", where, { text, example: exampleOf(policy, versions) }));
    return undefined;
  }
  if (wanted === "0") {
    report(problem("policy-version-zero", where, { policy, example: exampleOf(policy, versions), versions: names }));
    return undefined;
  }
  const found = versions.find(({ version }) => fits(version));
  if (found === undefined) report(problem("policy-version-unknown", where, { policy, version: wanted, versions: names }));
  return found?.release;
}

/** `set-header@2`; the whole version where a shorter one would not find it. */
function exampleOf(policy: string, versions: readonly CataloguedRelease<NamedRelease>[]): string {
  const newest = versions.find(({ version }) => version.prerelease.length === 0);
  if (newest === undefined) return `${policy}@${versions[0]?.release.manifest.version ?? "1.0.0"}`;
  const { major, minor } = newest.version;
  return `${policy}@${major === 0 ? `0.${minor}` : major}`;
}

function versionFilter(wanted: string): ((version: Version) => boolean) | undefined {
  const exact = parseVersion(wanted);
  if (exact !== undefined) return (version) => compareVersions(version, exact) === 0;
  const [, major, minor] = /^(0|[1-9]\d{0,8})(?:\.(0|[1-9]\d{0,8}))?$/.exec(wanted) ?? [];
  if (major === undefined) return undefined;
  return (version) =>
    version.prerelease.length === 0 && version.major === Number(major) && (minor === undefined || version.minor === Number(minor));
}
