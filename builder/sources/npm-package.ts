import { randomUUID } from "node:crypto";
import { copyFile, mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Report } from "../../src/config/read.ts";
import { compareVersions, parseVersion } from "../../src/config/semver.ts";
import { problem, type Where } from "../../src/errors.ts";
import { type LockedSource, sha256 } from "../distribution/lock.ts";
import type { PolicySource } from "../distribution/read-distribution.ts";
import { npmComplaint } from "../npm.ts";
import type { FetchedSource, SourceContext } from "./fetched-source.ts";
import { integrityOf, unpack } from "./unpack.ts";

type NpmSource = PolicySource & { readonly kind: "npm" };

/**
 * Resolves the range (the newest version that fits, unless the lock has one), fetches the tarball and unpacks it. The cache keeps tarballs by
 * their hash: a locked one is fetched once on a machine. Bytes that are not the locked ones are a problem.
 */
export async function fetchNpmPackage(
  source: NpmSource,
  where: Where,
  locked: LockedSource | undefined,
  context: SourceContext,
  report: Report,
): Promise<FetchedSource | undefined> {
  const name = source.package;
  try {
    const version = locked?.version ?? (await newestVersion(source, context));
    const kept = locked && (await keptTarball(locked.integrity, context));
    const file = kept ?? (await download(`${name}@${version}`, context));
    const bytes = await readFile(file);
    const integrity = integrityOf(bytes);
    if (locked !== undefined && locked.integrity !== integrity) {
      const facts = { what: `the package \`${name}@${version}\``, locked: locked.integrity, found: integrity };
      report(problem("lock-integrity", where, facts));
      return undefined;
    }
    if (kept === undefined) await keep(file, integrity, context);
    const folder = join(context.scratch, randomUUID());
    await unpack(bytes, folder);
    return { folder, locked: { version, integrity } };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const remedy = "correct the name or the range, or mend npm's access to the registry (`.npmrc`); `--verbose` shows all that npm says";
    report(problem("source-unavailable", where, { source: `${name}@${source.range}`, detail, remedy }));
    return undefined;
  }
}

async function newestVersion({ package: name, range }: NpmSource, { npm, home }: SourceContext): Promise<string> {
  const asked = await npm(["view", `${name}@${range}`, "version", "--json"], home);
  if (asked.code !== 0) throw new Error(npmComplaint(asked));
  const answer: unknown = asked.stdout.trim() === "" ? [] : JSON.parse(asked.stdout);
  const versions = (Array.isArray(answer) ? answer : [answer]).flatMap((version: unknown) => {
    const parsed = typeof version === "string" ? parseVersion(version) : undefined;
    return typeof version === "string" && parsed !== undefined ? [{ version, parsed }] : [];
  });
  const newest = versions.sort((left, right) => compareVersions(right.parsed, left.parsed))[0];
  if (newest === undefined) throw new Error("no version fits");
  return newest.version;
}

async function download(wanted: string, { npm, home, scratch }: SourceContext): Promise<string> {
  const folder = join(scratch, randomUUID());
  await mkdir(folder, { recursive: true });
  const packed = await npm(["pack", wanted, "--pack-destination", folder, "--json"], home);
  if (packed.code !== 0) throw new Error(npmComplaint(packed));
  const [name] = /[^"/\\]+\.tgz/.exec(packed.stdout) ?? [];
  if (name === undefined) throw new Error("npm did not say which file it has written");
  return join(folder, name);
}

function keptPath(integrity: string, { cache }: SourceContext): string {
  return join(cache, "tarballs", `${sha256(integrity)}.tgz`);
}

/** Undefined when it is not there, or no longer what it was. */
async function keptTarball(integrity: string, context: SourceContext): Promise<string | undefined> {
  const path = keptPath(integrity, context);
  const bytes = await readFile(path).catch(() => undefined);
  return bytes !== undefined && integrityOf(bytes) === integrity ? path : undefined;
}

async function keep(file: string, integrity: string, context: SourceContext): Promise<void> {
  await mkdir(join(context.cache, "tarballs"), { recursive: true });
  const unfinished = `${keptPath(integrity, context)}.${randomUUID()}`;
  await copyFile(file, unfinished);
  await rename(unfinished, keptPath(integrity, context));
}
