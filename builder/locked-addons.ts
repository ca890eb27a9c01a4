import { problem, type Where } from "../src/errors.ts";
import type { Addon } from "./addon.ts";
import type { LockMode } from "./build-context.ts";
import type { LockedAddon } from "./distribution/lock.ts";
import { BuildFailure } from "./events.ts";

type Addons = Readonly<Record<string, LockedAddon>>;

/**
 * What a lock says of addons after a build with this one. A prebuilt addon is held to its hash; one that was compiled is another one on every
 * machine.
 *
 * @throws a `BuildFailure` when a prebuilt one has been replaced
 */
export function lockedAddons(known: Addons, addon: Addon | undefined, mode: LockMode, where: Where): Addons {
  if (addon === undefined) return known;
  const { platform, hash, origin } = addon;
  const locked = known[platform];
  if (locked === undefined || mode === "renew") return { ...known, [platform]: { hash, origin } };
  if (locked.origin === "prebuilt" && origin === "prebuilt" && locked.hash !== hash) {
    throw new BuildFailure([problem("lock-integrity", where, { what: `the RE2 addon for ${platform}`, locked: locked.hash, found: hash })]);
  }
  return known;
}
