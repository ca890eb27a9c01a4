import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** A new folder in the system's own for such things; the name is short because Unix sockets go into it. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), "policy-engine-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
