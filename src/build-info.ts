/** What a distribution was built from: shown by `list`, in the first line of the log and among the metrics. */
export interface BuildInfo {
  /** Of the distribution, from its manifest. */
  readonly name: string;
  readonly version: string;
  /** SHA-256 of its lock, hex: two distributions with the same are the same, platform aside. */
  readonly lockHash: string;
  /** The commit of the repository that the manifest stands in; undefined where it is in none. */
  readonly sourceCommit?: string | undefined;
  /** Versions: of the engine, of what made the bundle. */
  readonly engine: string;
  readonly esbuild: string;
  readonly typescript: string;
  /** The oldest Node that it runs on, as esbuild says it: `node22.22`. */
  readonly target: string;
}
