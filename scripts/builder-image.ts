// `npm run builder-image`: lays out in `dist/builder-image` what builds distributions, and makes an image of that, without a network.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { root } from "./cache.mjs";
import { layOut } from "./image/lay-out.ts";

const image = "envoy-policy-engine-builder";
const usage = `npm run builder-image                                  makes the image ${image} with Docker
npm run builder-image -- --build-arg BASE_IMAGE=IMAGE  what follows \`--\` goes to \`docker build\``;

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`builder-image: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
});

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(usage);
    return 0;
  }
  const { bytes } = await layOut(root, join(root, "dist/builder-image"), "builder");
  console.log(`builder-image: ${(bytes / 1e6).toFixed(1)} MB are laid out in dist/builder-image`);
  const command = ["build", "--network", "none", "--file", "Dockerfile.builder", "--target", "builder", "--tag", image, ...args, "."];
  const { error, status } = spawnSync("docker", command, { cwd: root, stdio: "inherit" });
  if (error !== undefined) throw new Error(`there is no \`docker\` to build with: ${error.message}`);
  return status === 0 ? 0 : 1;
}
