import { cp } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../../scripts/cache.mjs";
import { type TemporaryFolder, temporaryFolder } from "../../scripts/processes/temporary-folder.ts";

/** A copy of what the demo's containers use of the checkout, with the same paths. */
export async function demoFolder(): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  for (const name of ["docker-compose.yml", "configs", "scripts"]) await cp(join(root, name), join(folder.path, name), { recursive: true });
  return folder;
}
