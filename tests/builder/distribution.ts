/** What a built distribution says of itself. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

interface Listed {
  readonly name: string;
  readonly version: string;
  readonly hash: string;
  readonly source: string;
}

export async function listed(distribution: string): Promise<readonly Listed[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(distribution, "policy-engine.mjs"), "list", "--json"]);
  const { policies }: { readonly policies: readonly Listed[] } = JSON.parse(stdout);
  return policies;
}
