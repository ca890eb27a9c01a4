import { isDeepStrictEqual } from "node:util";
import type { NpmPackages } from "../distribution/lock.ts";

/** A folder of the build that npm treats as a package: a policy, a package that policies share, the SDK. */
export interface Workspace {
  /** Relative to the build's folder: `policies/geo/v1.2.3`. */
  readonly path: string;
  readonly manifest: {
    /** Unique, which the names that policies give themselves need not be. */
    readonly name: string;
    readonly version: string;
    readonly dependencies: Readonly<Record<string, string>>;
  };
}

/** The package.json of the build's folder. */
export function projectManifest(workspaces: readonly Workspace[]): Readonly<Record<string, unknown>> {
  return { name: "distribution", version: "0.0.0", private: true, workspaces: workspaces.map(({ path }) => path) };
}

/** Whether the workspaces depend on anything but each other. */
export function needsPackages(workspaces: readonly Workspace[]): boolean {
  const versions = new Map(workspaces.map(({ manifest: { name, version } }) => [name, version]));
  return workspaces.some(({ manifest }) => Object.entries(manifest.dependencies).some(([name, range]) => versions.get(name) !== range));
}

/** Whether locked packages were resolved for exactly these workspaces. */
export function fits(workspaces: readonly Workspace[], packages: NpmPackages): boolean {
  const known = new Set(["", ...workspaces.map(({ path }) => path)]);
  const others = Object.keys(packages).filter((path) => !known.has(path) && !/(?:^|\/)node_modules\//.test(path));
  return (
    others.length === 0 &&
    workspaces.every(({ path, manifest: { name, version, dependencies } }) => {
      const locked = packages[path];
      return locked?.name === name && locked.version === version && isDeepStrictEqual({ ...locked.dependencies }, { ...dependencies });
    })
  );
}
