// Writes every generated file of the project anew and removes those that nothing generates any more.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { root } from "./cache.mjs";
import { differences, generatedFiles } from "./generated-files.ts";

const files = await generatedFiles(root);
const changed = await differences(root, files);
for (const { path, text } of changed) {
  console.log(`${text === undefined ? "removed" : "written"}: ${path}`);
  if (text === undefined) {
    await rm(join(root, path));
  } else {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}
console.log(`${files.length} generated files, ${changed.length} of them changed`);
