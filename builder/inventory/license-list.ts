import type { BundledPackage } from "./bundled-packages.ts";

/** Which licence every package in a distribution has, first as a list, then with the texts that must go along. */
export function licenseList(packages: readonly BundledPackage[]): string {
  const lines = packages.map((each) => `${nameOf(each)}  ${each.license ?? "no licence named"}`);
  const texts = packages.map((each) =>
    [rule, nameOf(each), rule, "", each.texts.join("\n\n") || "The package holds no licence text.", ""].join("\n"),
  );
  return ["What this distribution is made of, besides the engine (Apache-2.0, see LICENSE).", "", ...lines, "", ...texts].join("\n");
}

const nameOf = ({ name, version }: BundledPackage): string => `${name} ${version}`;

const rule = "-".repeat(80);
