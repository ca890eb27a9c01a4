import { mkdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** The ways in which the content of a file is replaced in the wild. */
export type Replace = (path: string, text: string) => Promise<void>;

/** An editor or a shell: the file is emptied and written. */
export const inPlace: Replace = (path, text) => writeFile(path, text);

/** A careful editor or a tool: a new file takes the name of the old one. */
export const byRename: Replace = async (path, text) => {
  const finished = `${path}.${Date.now()}.new`;
  await writeFile(finished, text);
  await rename(finished, path);
};

/**
 * Kubernetes: the path is a link through `..data`, a link to a folder that is never written twice; swapping `..data` swaps every file in it.
 */
export const bySymlinkSwap: Replace = async (path, text) => {
  const mount = dirname(path);
  const data = join(mount, "..data");
  const version = `..version-${process.hrtime.bigint()}`;
  await mkdir(join(mount, version));
  await writeFile(join(mount, version, basename(path)), text);
  const old = await readlink(data).catch(() => undefined);
  await symlink(version, `${data}_tmp`);
  await rename(`${data}_tmp`, data);
  const throughData = join("..data", basename(path));
  if ((await readlink(path).catch(() => undefined)) !== throughData) {
    await symlink(throughData, `${path}_tmp`);
    await rename(`${path}_tmp`, path);
  }
  if (old !== undefined) await rm(join(mount, old), { recursive: true, force: true });
};
