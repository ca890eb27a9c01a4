/**
 * `envoy-policy-engine/testing`: runs policies and configurations without Envoy, in milliseconds, through the same checks, loop and wire
 * that the engine uses.
 */

import { formatProblems } from "../config/problems.ts";
import { createSchemaEngine, type SchemaEngine } from "../config/schema-engine.ts";
import type { CheckEnvironment, EnvoyPromises, PolicyRegistry, SourceDocument } from "../config/types.ts";
import { loadPatternEngine } from "../expressions/patterns.ts";
import { prepare } from "../generations/prepare.ts";
import { createChainCounters } from "../observe/chain-counters.ts";
import { createStepCounters, type StepCounters } from "../observe/step-counters.ts";
import { createInstancePool } from "../worker/instances.ts";
import type { OutgoingCall, PolicyHost } from "../worker/policy-host.ts";
import type { StepFailure } from "../worker/run-host.ts";
import { startPreparedEngine } from "./prepared-engine.ts";

export interface TestEngineOptions {
  /** The policies that the configuration may use. */
  readonly policies: PolicyRegistry;
  /** The configuration, as YAML; several documents are merged. */
  readonly config: string | readonly SourceDocument[];
  /** The clock: milliseconds since the epoch. Default: 2026-01-01T00:00:00Z, standing still. */
  readonly now?: () => number;
  /** What `context.random()` returns. Default: always 0.5. */
  readonly random?: () => number;
  /** Answers outgoing calls. Default: every call is refused. */
  readonly fetch?: (call: OutgoingCall) => Promise<Response>;
  /** What `context.every`, `context.after` and the deadlines of steps go by; returns what cancels. Default: the timers of Node. */
  readonly startTimer?: (milliseconds: number, expired: () => void) => () => void;
  /** What stands in the files that policies and `${file:PATH}` ask for, by path. Default: none; a file that is not there cannot be read. */
  readonly files?: Readonly<Record<string, string>>;
  /** Environment variables for `${env:NAME}`. Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Header names to one value or several. */
export type TestHeaders = Readonly<Record<string, string | readonly string[]>>;

/** A body as text, whole or in chunks. */
export type TestBody = string | readonly string[];

export interface TestRequest {
  /** Envoy's route name. */
  readonly route: string;
  /** Default `GET`. */
  readonly method?: string;
  /** Path with query. Default `/`. */
  readonly path?: string;
  /** Default `example.com`. */
  readonly host?: string;
  readonly headers?: TestHeaders;
  /** Default: none, the request ends with its headers. Several texts are the chunks in which it comes. */
  readonly body?: TestBody;
  /** What follows the body. Default: none. */
  readonly trailers?: TestHeaders;
  /** Default 127.0.0.1 port 40000. */
  readonly source?: { readonly address: string; readonly port: number };
}

export interface TestResponse {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: TestHeaders;
  /** Default: none, the response ends with its headers. Several texts are the chunks in which it comes. */
  readonly body?: TestBody;
  /** What follows the body. Default: none. */
  readonly trailers?: TestHeaders;
}

export interface TestMessage {
  /** As text, `""` when there is none. */
  readonly body: string;
  /** Lower-case names to every value, in order. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly trailers: Readonly<Record<string, readonly string[]>>;
}

export interface TestExchange {
  /** What the upstream got; undefined when the request did not reach it. */
  readonly upstream: (TestMessage & { readonly method: string; readonly path: string; readonly host: string }) | undefined;
  /** What the client got. `cut`: the engine has broken the response off, and the client knows. */
  readonly client: TestMessage & { readonly status: number; readonly cut?: true };
  /** The code of the reply when a policy or the engine answered in place of the upstream. */
  readonly reply: string | undefined;
  /** Shared metadata at the end. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Steps that failed, skipped ones included. */
  readonly failures: readonly StepFailure[];
}

export interface TestEngine {
  exchange(request: TestRequest, response?: TestResponse): Promise<TestExchange>;
  /** Closes the instances. */
  close(): void;
}

/** Thrown when the configuration is refused; the message lists every problem with its position. */
export class RefusedConfigurationError extends Error {
  override readonly name = "RefusedConfigurationError";
}

const frozenNow = Date.UTC(2026, 0, 1);

const promises: EnvoyPromises = {
  identity: "both",
  allowModeOverride: true,
  responseHeaders: "skipped",
  messageTimeoutMs: 10_000,
  bodyBytesMax: 10 * 1024 * 1024,
  metadata: undefined,
};

/** Starts an engine on a configuration. Rejects with a `RefusedConfigurationError`. */
export async function startTestEngine(options: TestEngineOptions): Promise<TestEngine> {
  const { now = () => frozenNow } = options;
  const host = testHost({ ...options, counters: createStepCounters() }, now);
  const documents = typeof options.config === "string" ? [{ uri: "config.yaml", text: options.config }] : options.config;
  const result = await prepare(documents, {
    ...testCheckEnvironment(options.policies, options.environment ?? {}, options.files ?? {}),
    instances: createInstancePool(host),
    redact: (text) => text,
  });
  if ("problems" in result) throw new RefusedConfigurationError(formatProblems(result.problems));
  return startPreparedEngine(result.prepared, { envoy: promises, now, startTimer: host.startTimer, counters: host.counters });
}

/** What `check` needs, without the outside world. */
export function testCheckEnvironment(
  policies: PolicyRegistry,
  variables: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): CheckEnvironment {
  return {
    policies,
    secret: ({ kind, name }) => {
      const value = (kind === "env" ? variables : files)[name];
      return value === undefined ? { missing: kind === "env" ? "not set in this test" : "not given in this test" } : { value };
    },
    envoy: promises,
    schemas: sharedSchemas(),
  };
}

let schemas: SchemaEngine | undefined;

/** One for all tests of a process: compiling the schemas of the policies takes longer than most tests. */
function sharedSchemas(): SchemaEngine {
  schemas ??= createSchemaEngine(loadPatternEngine().engine);
  return schemas;
}

/** What stands behind a policy's context where there is no outside world. */
export function testHost(
  options: Pick<TestEngineOptions, "random" | "fetch" | "startTimer" | "files"> & { readonly counters: StepCounters },
  now: () => number,
): PolicyHost {
  const silent = (): void => {};
  return {
    now,
    random: options.random ?? (() => 0.5),
    startTimer: options.startTimer ?? startNodeTimer,
    fetch:
      options.fetch ??
      (async ({ key, url }) => Promise.reject(new Error(`no answer is given in this test for the call \`${key}\` to ${url}`))),
    watchFile: async (path) => {
      const text = options.files?.[path];
      if (text === undefined) throw new Error(`no such file is given in this test: ${path}`);
      return { content: Buffer.from(text, "utf8"), close: silent };
    },
    log: () => ({ debug: silent, info: silent, warn: silent, error: silent }),
    counters: options.counters,
    chainCounters: createChainCounters(),
    policyCounters: { create: () => ({ add: silent, close: silent }) },
    probes: { add: () => silent },
  };
}

function startNodeTimer(milliseconds: number, expired: () => void): () => void {
  const timer = setTimeout(expired, milliseconds);
  timer.unref();
  return () => clearTimeout(timer);
}
