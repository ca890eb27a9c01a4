/** Sends exchanges through a configuration that is ready to serve, with a simulated Envoy before it and an upstream behind it that answers as it is told. */
import type { EnvoyPromises } from "../config/types.ts";
import { ProcessingMode_BodySendMode as BodyMode } from "../generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import type { Generation, Prepared } from "../generations/generation.ts";
import { createGenerationHolder } from "../generations/holder.ts";
import { createExchangeCounters } from "../kernel/exchange-counters.ts";
import { createKernel } from "../kernel/kernel.ts";
import type { KernelHost, ReplyEvent } from "../kernel/kernel-host.ts";
import type { StepCounters } from "../observe/step-counters.ts";
import { bodyUseOf } from "../worker/chain.ts";
import { ExchangeRun } from "../worker/run.ts";
import type { RunHost, StepFailure } from "../worker/run-host.ts";
import { type BodyModes, exchangeThroughKernel, type HeaderLine, type SimulatedMessage } from "./simulated-envoy.ts";
import type { TestBody, TestEngine, TestHeaders, TestRequest } from "./test-engine.ts";

export interface EngineParts {
  readonly envoy: EnvoyPromises;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly startTimer: RunHost["startTimer"];
  readonly counters: StepCounters;
  /** Makes what writes exchanges down. Default: nothing does. */
  readonly recorder?: (parts: Pick<KernelHost, "generations" | "monotonicMs">) => NonNullable<KernelHost["recorder"]>;
  /** Hears of every reply. */
  readonly replied?: (event: ReplyEvent) => void;
}

/** The engine releases what was prepared when it is closed. */
export function startPreparedEngine(prepared: Prepared, parts: EngineParts): TestEngine {
  const generations = createGenerationHolder(parts.now);
  generations.commit(prepared, 1);
  let run: ExchangeRun | undefined;
  let reply: string | undefined;
  let failures: StepFailure[] = [];
  const runHost: RunHost = {
    monotonicMs: () => performance.now(),
    startTimer: parts.startTimer,
    counters: parts.counters,
    failed: (failure) => failures.push(failure),
  };
  const recorder = parts.recorder?.({ generations, monotonicMs: runHost.monotonicMs });
  let count = 0;
  const { open } = createKernel({
    generations,
    envoy: parts.envoy,
    counters: createExchangeCounters(),
    engineMetadata: undefined,
    now: parts.now,
    monotonicMs: runHost.monotonicMs,
    newId: () => `test-${++count}`,
    refusesNew: () => false,
    ...(recorder && { recorder }),
    startRun: (chain, received, generation) => {
      run = recorder?.startRun(chain, received, generation, runHost) ?? new ExchangeRun(chain, received, runHost, generation);
      return run;
    },
    replied: (event) => {
      reply = event.reply.code;
      parts.replied?.(event);
    },
    bodyNotSent: () => {},
    ended: () => {},
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
