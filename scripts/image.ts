// `npm run image`: lays out in `dist/image` what production needs, and builds the engine's image from that, without a network.
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { root } from "./cache.mjs";
import { layOut } from "./image/lay-out.ts";

const image = "envoy-policy-engine";
/** The label in the Dockerfile. */
const title = "Envoy Policy Engine";
const usage = `npm run image                                                  builds the image ${image} with Docker
npm run image -- --build-arg BASE_IMAGE=node:22-bookworm-slim  what follows \`--\` goes to \`docker build\``;

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`image: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
});

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(usage);
    return 0;
  }
  const { bytes, addon } = await layOut(root, join(root, "dist/image"), "engine");
  console.log(`image: ${megabytes(bytes)} are laid out in dist/image`);
  const { version }: { readonly version: string } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const facts = ["--build-arg", `VERSION=${version}`, "--build-arg", `REVISION=${revision()}`];
  const built = spawnSync("docker", ["build", "--network", "none", "--tag", image, ...facts, ...args, "."], {
    cwd: root,
    stdio: "inherit",
  });
  if (built.error !== undefined) throw new Error(`there is no \`docker\` to build with: ${built.error.message}`);
  if (built.status !== 0) return 1;
  // What this build has taken the name from, unless something still uses it.
  docker(["image", "prune", "--force", "--filter", `label=org.opencontainers.image.title=${title}`]);
  if (!addon || !loadsAddon()) warnOfSlowPatterns();
  console.log(
    `image: ${image} is built, ${megabytes(Number(docker(["image", "inspect", "--format", "{{.Size}}", image]).stdout))} with its base`,
  );
  return 0;
}

/** The commit, for the image's label; nothing where there is no git. */
function revision(): string {
  return (spawnSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).stdout ?? "").trim();
}

/** The addon was compiled for this machine's libraries and this Node; those of the base image may be older or others. */
function loadsAddon(): boolean {
  const program = "process.exit(new (require('re2'))('^a+$').test('aa') ? 0 : 1)";
  return docker(["run", "--rm", "--network", "none", "--entrypoint", "node", image, "-e", program]).status === 0;
}

function warnOfSlowPatterns(): void {
  console.warn(`image: WARNING: the RE2 addon does not load in this image: regular expressions run on re2js, which is about ten times slower.
image: build on Linux, with the base image's processor, its version of Node and a C library that is not newer than its own`);
}

function docker(args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  return spawnSync("docker", args, { encoding: "utf8" });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
