/**
 * `envoy-policy-engine/testing`: runs policies and configurations without Envoy, in milliseconds, through the same checks, loop and wire
 * that the engine uses.
 */

import { formatProblems } from "../config/problems.ts";
import { createSchemaEngine, type SchemaEngine } from "../config/schema-engine.ts";
import type { CheckEnvironment, EnvoyPromises, PolicyRegistry, SourceDocument } from "../config/types.ts";
import { loadPatternEngine } from "../expressions/patterns.ts";
import { ProcessingMode_BodySendMode as BodyMode } from "../generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import type { Generation } from "../generations/generation.ts";
import { createGenerationHolder } from "../generations/holder.ts";
import { prepare } from "../generations/prepare.ts";
import { createExchangeCounters } from "../kernel/exchange-counters.ts";
import { createKernel } from "../kernel/kernel.ts";
import { createChainCounters } from "../observe/chain-counters.ts";
import { createStepCounters, type StepCounters } from "../observe/step-counters.ts";
import { bodyUseOf } from "../worker/chain.ts";
import { createInstancePool } from "../worker/instances.ts";
import type { OutgoingCall, PolicyHost } from "../worker/policy-host.ts";
import { ExchangeRun, type RunHost, type StepFailure } from "../worker/run.ts";
import { type BodyModes, exchangeThroughKernel, type HeaderLine, type SimulatedMessage } from "./simulated-envoy.ts";

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
  const generations = createGenerationHolder(now);
  generations.commit(result.prepared, 1);
  let run: ExchangeRun | undefined;
  let reply: string | undefined;
  let failures: StepFailure[] = [];
  const runHost: RunHost = {
    monotonicMs: () => performance.now(),
    startTimer: host.startTimer,
    counters: host.counters,
    failed: (failure) => failures.push(failure),
  };
  let count = 0;
  const { open } = createKernel({
    generations,
    envoy: promises,
    counters: createExchangeCounters(),
    engineMetadata: undefined,
    now,
    monotonicMs: runHost.monotonicMs,
    newId: () => `test-${++count}`,
    refusesNew: () => false,
    startRun: (chain, received) => {
      run = new ExchangeRun(chain, received, runHost);
      return run;
    },
    replied: (event) => {
      reply = event.reply.code;
    },
    bodyNotSent: () => {},
  });
  return {
    async exchange(request, response = {}) {
      run = undefined;
      reply = undefined;
      failures = [];
      const configured = streamedModes(generations.current(), request.route);
      const seen = await exchangeThroughKernel(open, { ...simulatedRequest(request), configured }, () => ({
        headers: [[":status", String(response.status ?? 200)], ...headerLines(response.headers ?? {})],
        body: chunksOf(response.body),
        trailers: headerLines(response.trailers ?? {}),
      }));
      const { client } = seen;
      return {
        upstream: seen.upstream === undefined ? undefined : upstreamSees(seen.upstream),
        client: {
          status: client.status,
          body: Buffer.from(client.body).toString("utf8"),
          headers: grouped(client.headers),
          trailers: grouped(client.trailers),
          ...(client.cut && { cut: client.cut }),
        },
        reply,
        metadata: (run as ExchangeRun | undefined)?.metadata.asRecord() ?? {},
        failures,
      };
    },
    close: () => generations.close(),
  };
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

/** As `policy-engine envoy` prints them for a route through whose chain bodies pass; whole ones are asked for. */
function streamedModes(generation: Generation | undefined, route: string): BodyModes {
  const steps = generation?.chains.get(generation.config.routes.get(route) ?? "")?.steps ?? [];
  const mode = (phase: "request" | "response"): BodyMode =>
    bodyUseOf(steps, phase) === "streamed" ? BodyMode.FULL_DUPLEX_STREAMED : BodyMode.NONE;
  return { request: mode("request"), response: mode("response") };
}

function simulatedRequest(request: TestRequest) {
  const {
    route,
    method = "GET",
    path = "/",
    host = "example.com",
    headers = {},
    body,
    trailers = {},
    source = { address: "127.0.0.1", port: 40_000 },
  } = request;
  const pseudo: readonly HeaderLine[] = [
    [":method", method],
    [":path", path],
    [":authority", host],
    [":scheme", "https"],
  ];
  return {
    route,
    headers: [...pseudo, ...headerLines(headers)],
    body: chunksOf(body),
    trailers: headerLines(trailers),
    attributes: { "source.address": source.address, "source.port": source.port },
  };
}

/** Text of a test is UTF-8 on the wire. */
function headerLines(headers: TestHeaders): readonly HeaderLine[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === "string" ? [value] : value).map(
      (one): HeaderLine => [name.toLowerCase(), Buffer.from(one, "utf8").toString("latin1")],
    ),
  );
}

function chunksOf(body: TestBody | undefined): readonly Uint8Array[] | undefined {
  return body === undefined ? undefined : [body].flat().map((text) => Buffer.from(text, "utf8"));
}

function upstreamSees({ headers: lines, body, trailers }: SimulatedMessage) {
  const { ":method": method, ":path": path, ":authority": host, ":scheme": _scheme, ...headers } = grouped(lines);
  return {
    method: method?.[0] ?? "",
    path: path?.[0] ?? "",
    host: host?.[0] ?? "",
    headers,
    body: Buffer.from(body ?? []).toString("utf8"),
    trailers: grouped(trailers),
  };
}

/** Entries, not assignments: a header may be called `__proto__`. */
function grouped(lines: readonly HeaderLine[]): Readonly<Record<string, readonly string[]>> {
  const groups = Map.groupBy(lines, ([name]) => name);
  return Object.fromEntries(
    Array.from(groups, ([name, group]) => [name, group.map(([, value]) => Buffer.from(value, "latin1").toString("utf8"))]),
  );
}
