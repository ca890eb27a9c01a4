import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { isPolicyName, policyNameRule } from "../src/config/manifest.ts";

export interface NewPolicy {
  readonly name: string;
  /** The folder that holds policies. The new one goes into `NAME/v1.0.0` below it. */
  readonly directory: string;
  /** The checkout with the template and the schemas for editors. */
  readonly engineRoot: string;
}

/**
 * Makes the folder of a policy that passes everything but one of its own cases, which is there to start from.
 *
 * @returns the folder
 * @throws when the name cannot name a policy, and when there is a folder already: nothing is ever written over
 */
export async function createPolicy({ name, directory, engineRoot }: NewPolicy): Promise<string> {
  if (!isPolicyName(name) || name === sharedPackages) throw new Error(`\`${name}\` cannot name a policy: use ${policyNameRule}`);
  const folder = join(directory, name, "v1.0.0");
  const template = join(engineRoot, "templates/policy");
  const files = await readdir(template);
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(folder).catch((error: unknown) => {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    throw exists ? new Error(`${folder} is there already: choose another name, or remove it`) : error;
  });
  for (const file of files) {
    const text = (await readFile(join(template, file), "utf8")).replaceAll(templateName, name);
    await writeFile(join(folder, file), withSchemaOf(engineRoot, folder, text), { flag: "wx" });
  }
  return folder;
}

const templateName = "example-policy";
/** Beside the policies; see `discoverLibraries`. */
const sharedPackages = "lib";

/** The first line tells editors where the schema is, seen from the new folder. A policy outside of the checkout must not depend on where that is. */
function withSchemaOf(engineRoot: string, folder: string, text: string): string {
  const way = relative(resolve(engineRoot), resolve(folder));
  if (way.startsWith("..")) return text.replace(/^# yaml-language-server: .*\n/, "");
  const up = relative(resolve(folder), join(resolve(engineRoot), "schemas"))
    .split(sep)
    .join("/");
  return text.replace(/^(# yaml-language-server: \$schema=).*\/(?=[^/]+\n)/, `$1${up}/`);
}
