import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../../scripts/cache.mjs";
import type { DemoIssuer } from "../../scripts/demo/demo-issuer.ts";
import { type TemporaryFolder, temporaryFolder } from "../../scripts/processes/temporary-folder.ts";

/** A copy of what the demo's containers use of the checkout, with the same paths, and with the issuer's key in the policies. */
export async function demoFolder(issuer: DemoIssuer): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  for (const name of ["docker-compose.yml", "configs", "scripts"]) await cp(join(root, name), join(folder.path, name), { recursive: true });
  await writeFile(join(folder.path, "configs/demo/policies.yaml"), await issuer.policies());
  return folder;
}
