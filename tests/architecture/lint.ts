import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Finding {
  /** `lint/style/noRestrictedImports` */
  readonly rule: string;
  readonly path: string;
  readonly line: number;
}

/**
 * Lints files that are not in the checkout with the checkout's own rules, in a folder of their own.
 *
 * @param files - path in the project to text
 */
export async function lintPlanted(files: Readonly<Record<string, string>>): Promise<readonly Finding[]> {
  const folder = await mkdtemp(join(tmpdir(), "policy-engine-planted-"));
  try {
    for (const name of ["biome.json", "package.json", ".gitignore"]) await cp(join(root, name), join(folder, name));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return findingsIn(await biome(["lint", "--reporter=json", "--max-diagnostics=none", "."], folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function biome(args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve) => {
    // It ends with 1 when it finds something: what it prints is the answer.
    execFile(join(root, "node_modules/.bin/biome"), args, { cwd, maxBuffer: 64 * 1024 * 1024 }, (_, stdout) => resolve(stdout));
  });
}

function findingsIn(report: string): readonly Finding[] {
  const { diagnostics }: { diagnostics: readonly Diagnostic[] } = JSON.parse(report);
  return diagnostics.map(({ category, location }) => ({ rule: category, path: location.path, line: location.start.line }));
}

interface Diagnostic {
  readonly category: string;
  readonly location: { readonly path: string; readonly start: { readonly line: number } };
}
