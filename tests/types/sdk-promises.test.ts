import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const promises = fileURLToPath(new URL("sdk-promises.ts", import.meta.url));

test("the SDK keeps its promises to policy authors", async () => {
  expect(await errorsIn(await readFile(promises, "utf8"))).toEqual([]);
});

test("a promise that does not hold is an error", async () => {
  const text = await readFile(promises, "utf8");
  const broken = text.replace('exchange.request.path = "/other";', 'exchange.request.headers.get("x-tenant");');
  expect(broken).not.toBe(text);
  expect(await errorsIn(broken)).toEqual([expect.stringContaining("Unused '@ts-expect-error' directive")]);
});

/** Compiles a module with the strictest setting, as a policy would be, and gives the compiler's errors. */
async function errorsIn(text: string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "policy-engine-types-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "module.ts"), text);
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ extends: join(root, "tsconfig.json"), include: ["module.ts"] }));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  return new Promise((resolve) => {
    execFile(join(root, "node_modules/.bin/tsc"), ["--project", folder], (_, stdout) =>
      resolve(stdout.split("\n").filter((line) => line.includes("error TS"))),
    );
  });
}
