/** Finds tools of other people's that are built with Go, or builds them: what holds the native transport to HTTP/2 and gRPC as others speak them. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, putInPlace } from "./cache.mjs";
import { run, say } from "./run.mjs";

export type GoTool = keyof typeof tools;

const tools = {
  /** The conformance suite of HTTP/2 servers. */
  h2spec: { module: "github.com/summerwind/h2spec/cmd/h2spec", version: "v2.2.1+incompatible" },
  /** What people ask a gRPC server with. */
  grpcurl: { module: "github.com/fullstorydev/grpcurl/cmd/grpcurl", version: "v1.9.3" },
  /** Load on a gRPC server. */
  ghz: { module: "github.com/bojand/ghz/cmd/ghz", version: "v0.120.0" },
  /** What Kubernetes asked gRPC servers with before it could itself. */
  "grpc-health-probe": { module: "github.com/grpc-ecosystem/grpc-health-probe", version: "v0.4.24" },
} as const;

/** What `$H2SPEC`, `$GRPCURL`, `$GHZ` or `$GRPC_HEALTH_PROBE` names, or the one in the cache. Builds nothing. */
export function findGoTool(name: GoTool): string | undefined {
  const named = process.env[variableOf(name)];
  if (named !== undefined && named !== "") return named;
  return existsSync(cached(name)) ? cached(name) : undefined;
}

/** Builds it into the cache when it is nowhere. Rejects when there is no Go, or it does not build. */
async function buildGoTool(name: GoTool): Promise<string> {
  const found = findGoTool(name);
  if (found !== undefined) return found;
  const { module, version } = tools[name];
  if (spawnSync("go", ["version"]).status !== 0) {
    throw new Error(
      `${name} is built with Go, and there is no \`go\` on the PATH: install Go, or set ${variableOf(name)} to a ${name} ${version}`,
    );
  }
  const folder = mkdtempSync(join(cacheFolder(), "building-"));
  try {
    const { ok, output } = await run(`building ${name}`, "go", ["install", `${module}@${version}`], {
      env: { ...process.env, GOBIN: folder },
    });
    if (!ok) throw new Error(`${name} does not build: ${output.trim().split("\n").slice(-5).join("\n")}`);
    putInPlace(cached(name), (unfinished) => copyFileSync(join(folder, name), unfinished));
    return cached(name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function variableOf(name: GoTool): string {
  return name.toUpperCase().replaceAll("-", "_");
}

function cached(name: GoTool): string {
  const [version = ""] = tools[name].version.slice(1).split("+");
  return join(cacheFolder(), `${name}-${version}-${process.platform}-${process.arch}`);
}

if (import.meta.main) {
  for (const name of ["h2spec", "grpcurl", "ghz", "grpc-health-probe"] as const satisfies readonly GoTool[]) {
    try {
      process.stdout.write(`${await buildGoTool(name)}\n`);
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
      process.exitCode = 1;
    }
  }
}
