/** What every test with containers needs: an engine to run them, and the image to run. */
import { type ExecFileException, execFile } from "node:child_process";
import { getContainerRuntimeClient } from "testcontainers";
import { root } from "../../scripts/cache.mjs";

export const engineImage = "envoy-policy-engine";
export const envoyImage = "envoyproxy/envoy:v1.36.2";

/**
 * The reason to skip a test that needs containers; undefined where there is a container engine.
 *
 * @throws instead, where `CONTAINER_TESTS=required` says that there must be one
 */
export async function noContainers(): Promise<string | undefined> {
  const missing = await whatIsMissing();
  if (missing !== undefined && process.env.CONTAINER_TESTS === "required") throw new Error(`CONTAINER_TESTS=required, but ${missing}`);
  return missing;
}

async function whatIsMissing(): Promise<string | undefined> {
  const client = await getContainerRuntimeClient().catch(() => undefined);
  if (client === undefined) return "no container engine: neither DOCKER_HOST nor the default socket answers";
  const { host } = client.info.containerRuntime;
  if (host !== "localhost" && host !== "127.0.0.1") return `no container engine on this machine: ports are published on ${host}`;
  const { failure } = await run("docker", ["version"]);
  return failure && `no container engine for the command line: \`docker version\` says ${failure}`;
}

/** Makes the engine's image of this checkout; quick when nothing has changed. Rejects with what the build said. */
export async function buildEngineImage(): Promise<void> {
  const { failure } = await run(process.execPath, ["scripts/image.ts"]);
  if (failure !== undefined) throw new Error(`the engine's image cannot be built: ${failure}`);
}

/** Makes the image that builds distributions, and returns its name. Rejects with what the build said. */
export async function buildBuilderImage(): Promise<string> {
  const { failure } = await run(process.execPath, ["scripts/builder-image.ts"]);
  if (failure !== undefined) throw new Error(`the builder's image cannot be made: ${failure}`);
  return "envoy-policy-engine-builder";
}

/** What a `docker` command prints on stdout. Rejects, with everything it said, when it fails. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout, failure } = await run("docker", args);
  if (failure !== undefined) throw new Error(`docker ${args.join(" ")}: ${failure}`);
  return stdout.trim();
}

/** Everything that a container has said. */
export async function containerLog(container: string): Promise<string> {
  const { stdout, stderr } = await run("docker", ["logs", container]);
  return stdout + stderr;
}

interface Run {
  readonly stdout: string;
  readonly stderr: string;
  /** Everything it said, when it failed. */
  readonly failure: string | undefined;
}

function run(command: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd: root }, (error: ExecFileException | null, stdout, stderr) =>
      resolve({ stdout, stderr, failure: error === null ? undefined : `${stdout}${stderr}`.trim() || error.message }),
    );
  });
}
