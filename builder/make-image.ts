import { join, resolve } from "node:path";
import { problem } from "../src/errors.ts";
import type { BuildContext } from "./build-context.ts";
import { BuildFailure } from "./events.ts";
import { runCommand } from "./run-command.ts";
import type { Generated } from "./steps/generate.ts";

/**
 * Makes a container image of a distribution, the stage `runtime` of Dockerfile.builder, and lets the distribution prove itself in it. Nothing is
 * fetched besides the base image.
 *
 * @returns for people: its name and size
 * @throws a `BuildFailure` when there is no Docker, when it fails, or when the distribution does not work in the image
 */
export async function makeImage(
  tag: string,
  out: string,
  { buildInfo }: Generated,
  { engineRoot, output, notice }: BuildContext,
): Promise<string> {
  const docker = async (...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> => {
    const ended = await runCommand("docker", args, { cwd: engineRoot }).catch((error: Error) => {
      throw failed(tag, error.message);
    });
    const said = `${ended.stderr}${ended.stdout}`.trim();
    if (said !== "") output("docker", said);
    if (ended.code !== 0) throw failed(tag, said.split("\n").findLast((line) => line.trim() !== "") ?? `docker ended with ${ended.code}`);
    return ended;
  };
  const facts = { TITLE: buildInfo.name, VERSION: buildInfo.version, REVISION: buildInfo.sourceCommit ?? "" };
  await docker(
    ...["build", "--network", "none", "--file", join(engineRoot, "Dockerfile.builder"), "--target", "runtime", "--tag", tag],
    ...["--build-context", `distribution=${resolve(out)}`],
    ...Object.entries(facts).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    resolve(out),
  );
  const { stderr } = await docker("run", "--rm", "--network", "none", "--read-only", tag, "self-test");
  if (stderr.trim() !== "") notice(`in the image: ${stderr.trim()}`);
  const { stdout } = await docker("image", "inspect", "--format", "{{.Size}}", tag);
  return `image ${tag}, ${(Number(stdout) / 1e6).toFixed(1)} MB with its base`;
}

function failed(tag: string, detail: string): BuildFailure {
  return new BuildFailure([problem("image-failed", { position: { uri: tag, line: 1, column: 1 }, path: "" }, { tag, detail })]);
}
