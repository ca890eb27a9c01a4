/**
 * Writes down whole exchanges: it stands around the stream of one and lets a {@link RecordedRun} run it. The kernel and the plain run carry nothing
 * of it; an exchange is recorded from its first message or not at all.
 */
import type { EnvoyPromises } from "../config/types.ts";
import type { GenerationHolder } from "../generations/holder.ts";
import type { Chain } from "../worker/chain.ts";
import type { ExplainedRoute, ExplainedStep, Explanation, ToldAnswer } from "../worker/explanation.ts";
import type { ReceivedRequest } from "../worker/received.ts";
import { exchangeFacts } from "../worker/recent-decisions.ts";
import { RecordedRun } from "../worker/recorded-run.ts";
import { createRedaction, headerText, redactedCopy } from "../worker/redaction.ts";
import type { RunHost } from "../worker/run-host.ts";
import { IncomingRequest } from "./received-messages.ts";
import { routeIdentity } from "./route-identity.ts";
import type { StreamHandler, StreamMetadata, StreamSink } from "./transport.ts";
import { decodeIncoming, type Incoming } from "./wire/decode.ts";
import { readAnswer } from "./wire/read-answer.ts";

export interface ExchangeRecorder {
  /** @param id the engine's id of the exchange */
  watch(id: string, metadata: StreamMetadata, sink: StreamSink): WatchedStream;
  /** What runs the chain of an exchange that is watched. */
  startRun(chain: Chain, received: ReceivedRequest, generation: number, runHost: RunHost): RecordedRun;
}

/** What takes the place of the kernel's handler and of the transport's sink. */
export interface WatchedStream {
  readonly sink: StreamSink;
  handler(inner: StreamHandler): StreamHandler;
}

export interface RecorderHost {
  readonly envoy: Pick<EnvoyPromises, "identity">;
  readonly generations: GenerationHolder;
  /** Milliseconds from an arbitrary start, never going back. */
  monotonicMs(): number;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Removes the secrets that the engine has read. */
  readonly redact: (text: string) => string;
  /** An exchange of which nothing can run any more. */
  done(explanation: Explanation): void;
}

/** Longer texts are cut. */
const textUnitsMax = 1024;
const answersMax = 64;
const headersMax = 100;

interface Recording {
  readonly redaction: ReturnType<typeof createRedaction>;
  readonly startedMs: number;
  readonly told: ToldAnswer[];
  request: ReceivedRequest | undefined;
  found: ExplainedRoute;
  generation: number | undefined;
  chain: string | undefined;
  /** Undefined while steps can still run. */
  steps: readonly ExplainedStep[] | undefined;
  lastMessage: string;
}

export function createExchangeRecorder(host: RecorderHost): ExchangeRecorder {
  const open = new Map<string, Recording>();

  const finish = (id: string, recording: Recording): void => {
    const { request, steps } = recording;
    if (steps === undefined || !open.delete(id) || request === undefined) return;
    host.done(explanationOf(recording, request, steps, host.monotonicMs() - recording.startedMs));
  };

  return {
    watch(id, metadata, sink) {
      const recording: Recording = {
        redaction: createRedaction(host.redact),
        startedMs: host.monotonicMs(),
        told: [],
        request: undefined,
        found: { carriers: [], by: "nothing" },
        generation: undefined,
        chain: undefined,
        steps: [],
        lastMessage: "",
      };
      open.set(id, recording);
      const hear = (bytes: Uint8Array): void => {
        const incoming = read(bytes);
        if (incoming === undefined) return;
        recording.lastMessage = incoming.phase;
        if (incoming.phase === "request-headers" && recording.request === undefined) begin(recording, id, incoming, metadata, host);
      };
      const tell = (bytes: Uint8Array): void => {
        if (recording.told.length < answersMax) recording.told.push(readAnswer(bytes, recording.lastMessage));
      };
      return {
        sink: {
          send(bytes) {
            tell(bytes);
            return sink.send(bytes);
          },
          sendAndEnd(bytes) {
            tell(bytes);
            sink.sendAndEnd(bytes);
            finish(id, recording);
          },
          end() {
            sink.end();
            finish(id, recording);
          },
          fail(status, text) {
            sink.fail(status, text);
            finish(id, recording);
          },
          pause: () => sink.pause(),
          resume: () => sink.resume(),
        },
        handler: (inner) => ({
          message(bytes) {
            hear(bytes);
            inner.message(bytes);
          },
          halfClosed: () => inner.halfClosed(),
          drained: () => inner.drained(),
          closed() {
            inner.closed();
            finish(id, recording);
          },
        }),
      };
    },
    startRun(chain, received, generation, runHost) {
      const recording = open.get(received.id);
      if (recording === undefined) throw new Error(`the exchange ${received.id} is not recorded`);
      recording.chain = chain.name;
      recording.generation = generation;
      recording.steps = undefined;
      return new RecordedRun(chain, received, runHost, generation, {
        redaction: recording.redaction,
        done: (steps) => {
          recording.steps = steps;
          finish(received.id, recording);
        },
      });
    },
  };
}

/** What is no message is the kernel's to refuse. */
function read(bytes: Uint8Array): Incoming | undefined {
  try {
    return decodeIncoming(bytes);
  } catch {
    return undefined;
  }
}

function begin(recording: Recording, id: string, incoming: Incoming, metadata: StreamMetadata, host: RecorderHost): void {
  const { identity } = host.envoy;
  const route = routeIdentity(identity, incoming.attributes, metadata);
  const generation = host.generations.current();
  const routeName = route.kind === "route" ? route.name : "";
  recording.request = new IncomingRequest(incoming, { id }, host.now(), routeName);
  recording.generation = generation?.number;
  recording.redaction.learn(incoming.headers.entries());
  const known = routeName !== "" && generation?.config.routes.has(routeName) === true;
  const named = known ? "routes" : route.kind === "route" && route.ownChain !== undefined ? "route-metadata" : "unmatched";
  recording.found = {
    carriers: identity === "both" ? ["attributes", "metadata"] : [identity],
    by: route.kind === "refused" || generation === undefined ? "nothing" : named,
  };
}

function explanationOf(
  { redaction, generation, chain, found, told }: Recording,
  request: ReceivedRequest,
  steps: readonly ExplainedStep[],
  durationMs: number,
): Explanation {
  const lines = request.headers.entries().map(({ name, value }) => ({ name, value: headerText(name, value) }));
  const pseudo = (wanted: string): string => lines.find(({ name }) => name === wanted)?.value ?? "";
  const failures = steps.flatMap(({ step, policy, phase, failure }) =>
    failure === undefined ? [] : [{ step, policy, phase, ...failure }],
  );
  const explanation: Explanation = {
    ...exchangeFacts(request),
    generation,
    chain,
    outcome: "continued",
    status: undefined,
    code: failures.at(-1)?.code,
    step: failures.at(-1)?.step,
    reason: undefined,
    failures: failures.map(({ step, policy, phase, code, handled }) => ({ step, policy, phase, code, handled })),
    durationMs,
    request: { method: pseudo(":method"), path: pseudo(":path"), headers: lines.slice(0, headersMax) },
    found,
    steps,
    told,
  };
  return redactedCopy(explanation, redaction, textUnitsMax);
}
