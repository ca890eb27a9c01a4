import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { failureCatalogue, problemCatalogue } from "../../src/errors.ts";

/** Every code has a sentence of its own that says when it happens, and stands in `docs/errors.md`. */
export async function codesAreDocumented(root: string): Promise<readonly string[]> {
  const page = await readFile(join(root, "docs/errors.md"), "utf8");
  const entries = Object.entries({ ...problemCatalogue, ...failureCatalogue });
  const shared = Object.keys(problemCatalogue).filter((code) => code in failureCatalogue);
  return [
    ...shared.map((code) => `${code}: both a problem and a failure; whoever looks it up must find one meaning`),
    ...entries.filter(([, { meaning }]) => !/^[A-Z`].*\.$/s.test(meaning)).map(([code]) => `${code}: its meaning must be a sentence`),
    ...entries
      .filter(([code]) => !page.includes(`\n### ${code}\n`))
      .map(([code]) => `${code}: missing in docs/errors.md; run \`npm run generate\``),
    ...repeated(entries.map(([, { meaning }]) => meaning)).map((meaning) => `two codes have the same meaning: ${meaning}`),
  ];
}

function repeated(texts: readonly string[]): readonly string[] {
  return texts.filter((text, index) => texts.indexOf(text) !== index);
}
