/**
 * The lock file of a distribution: what exactly goes into it. It stands beside the manifest, is committed, and is an input: from the same lock
 * come the same bytes, per platform.
 */
import { createHash } from "node:crypto";
import { canonicalHash } from "../../src/config/canonical.ts";
import type { SchemaEngine } from "../../src/config/schema-engine.ts";
import { parseVersion } from "../../src/config/semver.ts";
import type { JsonSchema } from "../../src/config/types.ts";

export interface Lock {
  readonly lockVersion: 1;
  readonly distribution: { readonly name: string; readonly version: string };
  readonly engine: EngineFacts;
  readonly tools: { readonly esbuild: string; readonly typescript: string; readonly target: string };
  /** What came from outside, by how the manifest asks for it: `npm:@acme/geo@^1`. */
  readonly sources: Readonly<Record<string, LockedSource>>;
  /** `name@version` to what it is. */
  readonly policies: Readonly<Record<string, LockedPolicy>>;
  /** The `packages` of a package-lock.json: everything that the policies depend on, with npm's integrity hashes. */
  readonly packages: NpmPackages;
  /** Of the RE2 addon, by platform, processor and ABI: `linux-x64-137`. */
  readonly addons: Readonly<Record<string, LockedAddon>>;
}

export interface EngineFacts {
  readonly version: string;
  /** Generation of the SDK. */
  readonly sdk: number;
  /** SHA-256 over its sources and the packages it runs on, hex. */
  readonly hash: string;
}

export interface LockedSource {
  /** Of the package; absent for a tarball. */
  readonly version?: string;
  /** Of the tarball, `sha512-...`. */
  readonly integrity: string;
}

export interface LockedPolicy {
  /** Where it comes from, exactly: `npm:@acme/geo@1.2.3`, `policies/geo/v1.2.3`. */
  readonly source: string;
  /** SHA-256 of what it runs as, hex: what `list` shows. */
  readonly hash: string;
  /** SHA-256 of its parameters' schema, hex. */
  readonly schema: string;
}

export interface LockedAddon {
  /** SHA-256, hex. */
  readonly hash: string;
  /** One that was compiled here is never the same twice: only a prebuilt one can be held to its hash. */
  readonly origin: "prebuilt" | "compiled";
}

export type NpmPackages = Readonly<Record<string, NpmPackage>>;

/** What is read of an entry; all of it is kept. */
export interface NpmPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  /** The name, where the folder is an alias. */
  readonly name?: string;
  readonly link?: boolean;
  /** Where a link leads; of a package of a registry it is left out, so that the lock names no host. */
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** @throws when the text is not what `lockText` writes; the message says where */
export function readLock(text: string, schemas: SchemaEngine): Lock {
  const value: unknown = JSON.parse(text);
  const { violations } = schemas.validator(lockSchema)(value);
  const [first] = violations;
  if (first !== undefined) throw new Error(`${first.instancePath || "it"} ${first.message ?? "is wrong"}`);
  const lock = value as Lock;
  const fault = sourceFault(lock.sources) ?? packageFault(lock.packages);
  if (fault !== undefined) throw new Error(fault);
  return lock;
}

/** The version becomes an argument of npm, which also takes paths and addresses for one. */
function sourceFault(sources: Lock["sources"]): string | undefined {
  const found = Object.entries(sources).find(([, { version }]) => version !== undefined && parseVersion(version) === undefined);
  return found && `${found[0]} has a version that is none`;
}

/**
 * npm takes a package from wherever its entry says, and asks for no hash where there is none. So an entry says nothing but the hash, or is the link to a folder
 * of the build.
 *
 * @returns what cannot be held to a lock; undefined when all can
 */
export function packageFault(packages: NpmPackages): string | undefined {
  const isInstalled = (path: string): boolean => /(?:^|\/)node_modules\//.test(path);
  const found = Object.entries(packages).find(([path, { link, resolved, integrity }]) => {
    if (!isInstalled(path)) return false;
    if (link === true)
      return resolved === undefined || isInstalled(resolved) || /^(?:\.\.|\/)/.test(resolved) || !Object.hasOwn(packages, resolved);
    return resolved !== undefined || !integrity;
  });
  return found && `${found[0]} does not come from a registry, or without a hash of its own`;
}

const text = { type: "string" };
const mapOf = (values: JsonSchema): JsonSchema => ({ type: "object", additionalProperties: values });
const fields = (properties: Readonly<Record<string, JsonSchema>>, required = Object.keys(properties)): JsonSchema => ({
  type: "object",
  additionalProperties: false,
  required,
  properties,
});

const lockSchema = fields({
  lockVersion: { const: 1 },
  distribution: fields({ name: text, version: text }),
  engine: fields({ version: text, sdk: { type: "integer" }, hash: text }),
  tools: fields({ esbuild: text, typescript: text, target: text }),
  sources: mapOf(fields({ version: text, integrity: text }, ["integrity"])),
  policies: mapOf(fields({ source: text, hash: text, schema: text })),
  packages: mapOf({
    type: "object",
    properties: { version: text, integrity: text, name: text, resolved: text, link: { type: "boolean" }, dependencies: mapOf(text) },
  }),
  addons: mapOf(fields({ hash: text, origin: { enum: ["prebuilt", "compiled"] } })),
});

/** Ends with a newline; keys are sorted, so that equal locks are equal texts. */
export function lockText(lock: Lock): string {
  return `${JSON.stringify(sorted(lock), undefined, 2)}\n`;
}

/** SHA-256, hex. Without the addons: the same distribution has another one on each platform. */
export function lockHash({ addons: _, ...lock }: Lock): string {
  return canonicalHash(lock);
}

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
