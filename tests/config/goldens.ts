/**
 * Cases as files beside their expected output. `UPDATE_GOLDENS=1` writes the outputs as they are now: read the difference before it is
 * committed.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { SourceDocument } from "../../src/config/types.ts";

export interface Case {
  readonly name: string;
  readonly documents: readonly SourceDocument[];
  readonly goldenPath: string;
}

/** Every `NAME.yaml` (one document) and every folder `NAME/` (several) of a folder beside this file, or of one given by its URL. */
export function casesIn(folder: string): readonly Case[] {
  const root = fileURLToPath(new URL(folder, import.meta.url));
  const entries = readdirSync(root, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(root, entry.name);
    const name = entry.name.replace(/\.yaml$/, "");
    if (entry.isDirectory()) {
      const files = readdirSync(path).sort();
      return [{ name, documents: files.map((file) => document(join(path, file), file)), goldenPath: `${path}.golden.txt` }];
    }
    return name === entry.name ? [] : [{ name, documents: [document(path, entry.name)], goldenPath: join(root, `${name}.golden.txt`) }];
  });
}

/** Every golden output of all tests, as it is on disk. */
export function goldenTexts(): readonly string[] {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".golden.txt"));
  return files.map((file) => readFileSync(join(root, file), "utf8"));
}

export function expectGolden(path: string, actual: string): void {
  if (process.env.UPDATE_GOLDENS === "1") writeFileSync(path, actual);
  expect(actual).toBe(existsSync(path) ? readFileSync(path, "utf8") : `no golden output at ${path}`);
}

function document(path: string, uri: string): SourceDocument {
  return { uri, text: readFileSync(path, "utf8") };
}
