import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Report } from "../../src/config/read.ts";
import { problem, type Where } from "../../src/errors.ts";
import type { LockedSource } from "../distribution/lock.ts";
import type { PolicySource } from "../distribution/read-distribution.ts";
import type { FetchedSource, SourceContext } from "./fetched-source.ts";
import { integrityOf, unpack } from "./unpack.ts";

/** Reads and unpacks a tarball; one that has other bytes than the lock says is a problem, whatever it holds. */
export async function fetchTarball(
  { file }: PolicySource & { readonly kind: "tarball" },
  where: Where,
  locked: LockedSource | undefined,
  { home, scratch }: SourceContext,
  report: Report,
): Promise<FetchedSource | undefined> {
  const path = join(home, file);
  const unavailable = (detail: string, remedy: string): undefined => {
    report(problem("source-unavailable", where, { source: file, detail, remedy }));
  };
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => error);
  if (bytes instanceof Error) {
    const detail = bytes.code === "ENOENT" ? "there is no such file" : bytes.message;
    return unavailable(detail, "correct the path, which starts at the folder of the distribution's manifest");
  }
  const integrity = integrityOf(bytes);
  if (locked !== undefined && locked.integrity !== integrity) {
    report(problem("lock-integrity", where, { what: `the tarball \`${file}\``, locked: locked.integrity, found: integrity }));
    return undefined;
  }
  const folder = join(scratch, randomUUID());
  try {
    await unpack(bytes, folder);
  } catch (error) {
    return unavailable(error instanceof Error ? error.message : String(error), "make the file with `npm pack`");
  }
  return { folder, locked: { integrity } };
}
