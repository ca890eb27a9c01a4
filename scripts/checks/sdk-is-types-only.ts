import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTool } from "./run-tool.ts";

/** Compiles the SDK on its own and looks at the JavaScript that comes out: there must be none. */
export async function sdkIsTypesOnly(root: string): Promise<readonly string[]> {
  const sdk = join(root, "src/sdk");
  const out = await mkdtemp(join(tmpdir(), "policy-engine-sdk-"));
  try {
    const faults = [...(await runTool("tsc", ["--project", sdk])), ...(await dependencyFaults(sdk))];
    // The second run may not refuse imports by their suffix, or it would say nothing about what they bring.
    await runTool("tsc", [
      "--project",
      sdk,
      "--noEmit",
      "false",
      "--allowImportingTsExtensions",
      "false",
      "--removeComments",
      "--outDir",
      out,
    ]);
    for (const file of (await readdir(out, { recursive: true })).filter((name) => /\.(?:js|d\.ts)$/.test(name))) {
      const code = (await readFile(join(out, file), "utf8")).trim();
      if (file.endsWith(".js") && code !== "export {};") faults.push(`src/sdk leaves code to run, ${file}:\n${code}`);
      if (file.endsWith(".d.ts") && /\bimport\b|\brequire\b|\bfrom "/.test(code)) faults.push(`src/sdk imports something, ${file}`);
    }
    return faults;
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

async function dependencyFaults(sdk: string): Promise<readonly string[]> {
  const manifest: unknown = JSON.parse(await readFile(join(sdk, "package.json"), "utf8"));
  const forbidden = ["dependencies", "peerDependencies", "optionalDependencies", "main", "bin", "scripts"];
  return forbidden
    .filter((key) => typeof manifest === "object" && manifest !== null && key in manifest)
    .map((key) => `src/sdk/package.json has \`${key}\`: the SDK depends on nothing and runs nothing`);
}
