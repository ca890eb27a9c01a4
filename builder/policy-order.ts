import { compareVersions, parseVersion } from "../src/config/semver.ts";

interface Named {
  readonly name: string;
  readonly version: string;
}

/** By name, then by version as semver orders them: the order of registries, lists and locks. */
export function byNameAndVersion(left: Named, right: Named): number {
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  const [older, newer] = [parseVersion(left.version), parseVersion(right.version)];
  return older === undefined || newer === undefined ? 0 : compareVersions(older, newer);
}
