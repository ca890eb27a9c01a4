import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ParsedManifest, parseManifest } from "../src/config/manifest.ts";
import type { SchemaEngine } from "../src/config/schema-engine.ts";
import type { PolicyFolder } from "./discover.ts";

/** Reads and checks the manifest of a policy folder. Positions in its problems name the file as `policies/<name>/v<version>/policy.yaml`. */
export async function readManifest(folder: PolicyFolder, schemas: SchemaEngine): Promise<ParsedManifest> {
  const text = await readFile(join(folder.path, "policy.yaml"), "utf8");
  return parseManifest({ uri: `${folder.source}/policy.yaml`, text }, schemas);
}
