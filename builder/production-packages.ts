/** What `package-lock.json` says of the packages, by their folder; `""` is the checkout itself. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  /** Another folder of the checkout: the package is a workspace, and a link stands in `node_modules`. */
  readonly resolved?: string;
  readonly link?: boolean;
}

/**
 * The folders below `node_modules` that the engine needs while it runs, workspaces (links) among them, sorted.
 *
 * Less than `npm ci --omit=dev --omit=optional` leaves there: nothing that only builds an addon, and no packages of types.
 *
 * @throws when a package is not in the lock file
 */
export function productionPackages(lock: LockFile): readonly string[] {
  return closure(lock, "run", []);
}

/** The same for the builder: what makes bundles and checks types comes along, with its compiled parts for every platform, and so do types. */
export function builderPackages(lock: LockFile): readonly string[] {
  return closure(lock, "build", builderTools);
}

const builderTools: readonly string[] = ["@types/node", "esbuild", "tar", "typescript"];

function closure({ packages }: LockFile, purpose: "run" | "build", tools: readonly string[]): readonly string[] {
  const needed = new Set<string>();
  const add = (path: string, name: string): void => {
    if ((purpose === "run" && isOnlyTypes(name)) || needed.has(path)) return;
    needed.add(path);
    const { link, resolved } = packages[path] ?? {};
    if (!buildsItself.has(name)) addWhatIsNeeded(link === true && resolved !== undefined ? resolved : path);
  };
  const addWhatIsNeeded = (folder: string): void => {
    const { dependencies = {}, optionalDependencies = {} } = packages[folder] ?? {};
    // Compiled parts, one for each platform. Of the checkout itself it is the Node to develop with.
    const optional = purpose === "build" && folder !== "" ? optionalDependencies : {};
    for (const name of Object.keys({ ...dependencies, ...optional })) add(find(packages, folder, name), name);
  };
  addWhatIsNeeded("");
  for (const name of tools) add(find(packages, "", name), name);
  // Policies use workspaces that the checkout itself does not name.
  for (const [path, { link }] of Object.entries(packages)) if (link === true) add(path, path);
  return [...needed].sort();
}

/** Their dependencies compile them; once that is done they run alone. */
const buildsItself: ReadonlySet<string> = new Set(["re2"]);

function isOnlyTypes(name: string): boolean {
  return name.startsWith("@types/");
}

/** Where Node finds a package that a file in `folder` asks for: in the nearest `node_modules` above it. */
function find(packages: LockFile["packages"], folder: string, name: string): string {
  for (let place = folder; ; place = place.slice(0, Math.max(0, place.lastIndexOf("/")))) {
    const path = place === "" ? `node_modules/${name}` : `${place}/node_modules/${name}`;
    if (path in packages) return path;
    if (place === "") throw new Error(`package-lock.json has no ${name}, which ${folder || "this project"} needs: run \`npm install\``);
  }
}
