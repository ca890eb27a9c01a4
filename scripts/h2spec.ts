/** Finds h2spec, or builds it with Go: the conformance suite of HTTP/2 servers that the native transport is held to. As a program it prints its path. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, putInPlace } from "./cache.mjs";
import { run, say } from "./run.mjs";

const module = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible";

/** `$H2SPEC`, or the one in the cache. Builds nothing. */
export function findH2spec(): string | undefined {
  const named = process.env.H2SPEC;
  if (named !== undefined && named !== "") return named;
  return existsSync(cached()) ? cached() : undefined;
}

/** Builds it into the cache when it is nowhere. Rejects when there is no Go, or it does not build. */
async function buildH2spec(): Promise<string> {
  const found = findH2spec();
  if (found !== undefined) return found;
  if (spawnSync("go", ["version"]).status !== 0) {
    throw new Error("h2spec is built with Go, and there is no `go` on the PATH: install Go, or set H2SPEC to an h2spec 2.2.1");
  }
  const folder = mkdtempSync(join(cacheFolder(), "building-"));
  try {
    const { ok, output } = await run("building h2spec", "go", ["install", module], { env: { ...process.env, GOBIN: folder } });
    if (!ok) throw new Error(`h2spec does not build: ${output.trim().split("\n").slice(-5).join("\n")}`);
    putInPlace(cached(), (unfinished) => copyFileSync(join(folder, "h2spec"), unfinished));
    return cached();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function cached(): string {
  return join(cacheFolder(), `h2spec-2.2.1-${process.platform}-${process.arch}`);
}

if (import.meta.main) {
  try {
    process.stdout.write(`${await buildH2spec()}\n`);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
