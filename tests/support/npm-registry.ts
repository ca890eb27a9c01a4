/** A registry of npm packages on this machine, empty, with nothing behind it. */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { Server } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { runServer } from "verdaccio";
import { createCleanup } from "../../scripts/processes/cleanup.ts";
import { temporaryFolder } from "../../scripts/processes/temporary-folder.ts";

export interface NpmRegistry {
  /** What an `.npmrc` must say so that npm asks this registry, and nobody else. */
  readonly npmrc: string;
  /** Publishes the package in a folder, which must have the `.npmrc`. */
  publish(folder: string): Promise<void>;
  /** Removes all versions of a package, as if they had never been published. */
  forget(name: string): Promise<void>;
  close(): Promise<void>;
}

export async function startNpmRegistry(): Promise<NpmRegistry> {
  const cleanup = createCleanup();
  const { path: storage, remove } = await temporaryFolder();
  cleanup.add(remove);
  const everybody = { access: "$all", publish: "$all" };
  const server: unknown = await runServer({
    storage,
    self_path: storage,
    web: { enable: false },
    uplinks: {},
    auth: { htpasswd: { file: join(storage, "htpasswd"), max_users: -1 } },
    packages: { "**": everybody },
    log: { type: "stdout", format: "json", level: "fatal" },
  });
  if (!(server instanceof Server)) throw new Error("verdaccio has given no server");
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanup.add(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : ""}`;
  return {
    npmrc: `registry=http://${host}/\n//${host}/:_authToken=anybody\nfetch-retries=0\ncache=${join(storage, "npm-cache")}\n`,
    publish: async (folder) => {
      await promisify(execFile)("npm", ["publish", "--tag=latest", "--loglevel=error"], { cwd: folder });
    },
    forget: (name) => rm(join(storage, name), { recursive: true }),
    close: () => cleanup.run(),
  };
}
