/** Semantic versions (semver.org 2.0.0) without build metadata, which has no precedence and so cannot tell two releases apart. */

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** `["rc", "1"]` of `2.0.0-rc.1`; empty for a release. */
  readonly prerelease: readonly string[];
}

/** Undefined when the text is no semantic version, has a leading v or build metadata. */
export function parseVersion(text: string): Version | undefined {
  const number = "(0|[1-9]\\d{0,8})";
  const identifier = "(?:0|[1-9]\\d*|\\d*[A-Za-z-][\\dA-Za-z-]*)";
  const match = new RegExp(`^${number}\\.${number}\\.${number}(?:-(${identifier}(?:\\.${identifier})*))?$`).exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, prerelease] = match;
  return { major: Number(major), minor: Number(minor), patch: Number(patch), prerelease: prerelease?.split(".") ?? [] };
}

/** Negative when `left` is older. A prerelease is older than its release (semver.org 11). */
export function compareVersions(left: Version, right: Version): number {
  const numbers = left.major - right.major || left.minor - right.minor || left.patch - right.patch;
  if (numbers !== 0) return numbers;
  if (left.prerelease.length === 0 || right.prerelease.length === 0) return right.prerelease.length - left.prerelease.length;
  for (const [index, part] of left.prerelease.entries()) {
    const other = right.prerelease[index];
    if (other === undefined) return 1;
    const order = compareIdentifiers(part, other);
    if (order !== 0) return order;
  }
  return left.prerelease.length - right.prerelease.length;
}

function compareIdentifiers(left: string, right: string): number {
  const [leftNumeric, rightNumeric] = [/^\d+$/.test(left), /^\d+$/.test(right)];
  if (leftNumeric && rightNumeric) return Number(left) - Number(right);
  if (leftNumeric !== rightNumeric) return leftNumeric ? -1 : 1;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
