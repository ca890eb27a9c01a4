/**
 * What a configuration is once it is checked: positioned, typed, resolved. The worker binds it; nothing here runs anything.
 */
import type { Pattern, PolicyDefinition } from "@envoy-policy-engine/sdk";
import type { Position, Problem } from "../errors.ts";
import type { CompiledExpression } from "../expressions/expression.ts";
import type { MetadataPath } from "./metadata-paths.ts";
import type { SchemaEngine } from "./schema-engine.ts";

/** Text with a name. Every provider delivers these, so that positions work everywhere. */
export interface SourceDocument {
  /** For people: a path or an address. */
  readonly uri: string;
  readonly text: string;
  /** Who delivered it. Undefined where nobody else does: a file that a command was given. It competes with precedence 0. */
  readonly origin?: DocumentOrigin;
}

export interface DocumentOrigin {
  readonly provider: string;
  /** Of two definitions of one name that of the higher precedence counts; two of the same are refused. */
  readonly precedence: number;
  /** Whether its text may use a secret. Who writes text from elsewhere must not read whatever the engine can read. */
  readonly mayUseSecret: (reference: SecretReference) => boolean;
}

export type RoutingMutation = "path" | "query" | "method" | "host";

export type Direction = "request" | "response";

/** What a manifest says of headers that a policy writes. */
export interface HeaderWrite {
  readonly kind: "sets" | "removes";
  /** A header's name in lower case; or, with a leading `/`, where names stand in the parameters: a JSON Pointer in which `*` is every entry. */
  readonly name: string;
  /** Keys beside the name. Where one of them is there and not `false`, it is not certain that the header is set or removed. */
  readonly unless: readonly string[];
}

/** `policy.yaml`, checked. */
export interface PolicyManifest {
  readonly name: string;
  /** Semver, without a leading v. */
  readonly version: string;
  readonly summary: string;
  /** SDK generation the policy was written for. */
  readonly sdk: number;
  /** True on a policy that exists to keep somebody out. */
  readonly protects: boolean;
  readonly metadata: {
    readonly reads: readonly string[];
    /** Key to the JSON Schema of what is written. */
    readonly writes: Readonly<Record<string, JsonSchema>>;
  };
  readonly mutates: readonly RoutingMutation[];
  /** Headers that the policy sets or removes, as far as manifest and parameters tell. */
  readonly headers: Readonly<Record<Direction, readonly HeaderWrite[]>>;
  /** `always`: whatever comes, a step of it answers in place of the upstream, so that no step after it runs. */
  readonly replies: "always" | "sometimes";
  /** JSON Schema 2020-12 of the parameters, with our `x-` keywords. */
  readonly parameters: JsonSchema;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A policy version that is compiled in. */
export interface PolicyRelease {
  readonly manifest: PolicyManifest;
  // biome-ignore lint/suspicious/noExplicitAny: each release has its own parameters and state; the schema, not the type, guards them here
  readonly definition: PolicyDefinition<any, any>;
  /** Where it came from, for `list`: a folder or a package. */
  readonly source: string;
  /** SHA-256 over what the policy runs as: its manifest, code and dependencies, and the packages that it shares, hex. */
  readonly hash: string;
}

/** `name@version` to release. A value that is passed in; there is no global one. */
export type PolicyRegistry = ReadonlyMap<string, PolicyRelease>;

export type FailureMode = "deny" | "skip";

/** A finding that somebody means, as a step or chain says it. */
export interface Acknowledgement {
  readonly code: string;
  readonly reason: string;
  readonly position: Position;
  readonly path: string;
}

export interface CheckedStep {
  /** Unique in its chain; the policy's name unless the user gave one. */
  readonly name: string;
  readonly release: PolicyRelease;
  /** Validated, defaulted, secrets resolved, expressions and patterns compiled, deeply frozen. Never print it. */
  readonly parameters: unknown;
  /** SHA-256 over the resolved parameters (expressions and patterns by text), hex. Reveals nothing; changes when a secret is rotated. */
  readonly parametersHash: string;
  /** The completed parameters for people, plain JSON: secret references as they are written, secrets in clear text replaced. */
  readonly shownParameters: unknown;
  /** JSON Pointer of each secret in clear text to its SHA-256, hex: tells whether it has changed. Never print it. */
  readonly literalSecrets: ReadonlyMap<string, string>;
  readonly when: CompiledExpression<boolean> | undefined;
  /** Whether `when` reads `response.*`: it is then decided when the response is reached. */
  readonly whenReadsResponse: boolean;
  /** Every path of variables that `when` and the expressions of `parameters` read, such as `source.address` or `route.metadata.tier`. */
  readonly reads: ReadonlySet<string>;
  /** Deadline of a handler's promise, milliseconds. Default 1000. */
  readonly timeoutMs: number;
  readonly onError: FailureMode;
  /** Whether an upgrade or a stream skips a body-reading step instead of being refused. */
  readonly onUpgrade: FailureMode;
  readonly onStream: FailureMode;
  readonly acknowledged: readonly Acknowledgement[];
  readonly position: Position;
  /** `chains.partner-api.steps[0]` */
  readonly path: string;
}

export interface CheckedChain {
  readonly name: string;
  /** Who delivered it; undefined for a file that a command was given. */
  readonly provider: string | undefined;
  readonly description: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly steps: readonly CheckedStep[];
  /** Lets paths pass that are not in normal form. */
  readonly rawPath: boolean;
  /** Lowers the settings' body limit for this chain, bytes. */
  readonly bodyBytesMax: number | undefined;
  readonly acknowledged: readonly Acknowledgement[];
  /** SHA-256 over the canonical form with secrets by reference, hex. */
  readonly hash: string;
  readonly position: Position;
}

/** What happens to an exchange whose route is unnamed or unknown. */
export type Unmatched = { readonly kind: "deny" } | { readonly kind: "pass" } | { readonly kind: "chain"; readonly chain: string };

export interface CheckedConfig {
  readonly chains: ReadonlyMap<string, CheckedChain>;
  /** Envoy route name to chain name; undefined is the empty chain, said aloud. */
  readonly routes: ReadonlyMap<string, string | undefined>;
  /** Where each route was written, and who delivered it. */
  readonly routeSources: ReadonlyMap<string, { readonly provider: string | undefined; readonly position: Position }>;
  readonly unmatched: Unmatched;
  /** SHA-256 over the canonical form of everything with secrets by reference, hex. */
  readonly hash: string;
  readonly warnings: readonly Problem[];
}

export type Checked = { readonly config: CheckedConfig } | { readonly problems: readonly Problem[] };

/** What `check` must be given from outside, so that it does no I/O itself. */
export interface CheckEnvironment {
  readonly policies: PolicyRegistry;
  /** Checks parameters against the policies' schemas and keeps what it has compiled: one for a process. */
  readonly schemas: SchemaEngine;
  /**
   * Reads `${env:NAME}` or `${file:PATH}` as it is; the check cuts the trailing newline of a file. `missing` says why, without the
   * content.
   */
  readonly secret: (reference: SecretReference) => { readonly value: string } | { readonly missing: string };
  /** From the settings: what the configuration may rely on. */
  readonly envoy: EnvoyPromises;
}

export interface SecretReference {
  readonly kind: "env" | "file";
  readonly name: string;
}

/** What the settings promise about Envoy's side. */
export interface EnvoyPromises {
  readonly identity: "both" | "attributes" | "metadata";
  /** Envoy's filter says `allow_mode_override: true`. */
  readonly allowModeOverride: boolean;
  /** Whether Envoy's filter sends response headers without being asked. */
  readonly responseHeaders: "sent" | "skipped";
  /** Envoy's `message_timeout`, milliseconds. */
  readonly messageTimeoutMs: number;
  readonly bodyBytesMax: number;
  /** What goes to Envoy as dynamic metadata beside the decision's id. Undefined: nothing goes, not even the id. */
  readonly metadata: readonly MetadataPath[] | undefined;
}

export type CompiledParameter = CompiledExpression | Pattern;
