import { differences, generatedFiles } from "../generated-files.ts";

/** Makes every generated file again and compares. */
export async function generatedFilesAreFresh(root: string): Promise<readonly string[]> {
  const changed = await differences(root, await generatedFiles(root));
  return changed.map(({ path, text }) =>
    text === undefined
      ? `${path}: nothing generates it any more; run \`npm run generate\``
      : `${path}: not what its source gives; run \`npm run generate\``,
  );
}
