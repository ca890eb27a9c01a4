/** The engine, served to Envoy over the transport under test, with everything that it hears and says written down. */
import { once } from "node:events";
import { messageBytesMax } from "../../../src/config/message-bytes.ts";
import { ProcessingRequest, ProcessingResponse } from "../../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import type { OpenStream, StreamSink } from "../../../src/kernel/transport.ts";
import { createTransport } from "../../../src/transport/create-transport.ts";
import { type EngineDoes, engineDoes } from "../../conversations/conversation.ts";
import { engineUnderTest } from "../../conversations/engine-under-test.ts";
import { transportUnderTest } from "../../support/test-stage.ts";
import { type Chains, promised, type Setting } from "./case.ts";

/** One stream of Envoy's. */
export interface SeenExchange {
  /** Every message in order. */
  readonly saw: readonly string[];
  /** Every answer in order, in the words of the conversations. */
  readonly answers: readonly EngineDoes[];
  readonly ended: string;
}

export interface RecordedEngine {
  /** The exchanges since the last call. Resolves when none of them is open any more. */
  exchanges(): Promise<readonly SeenExchange[]>;
  /** Exchanges of Envoy's observability mode. */
  observed(): number;
  stop(): Promise<void>;
}

interface Recording extends SeenExchange {
  readonly saw: string[];
  readonly answers: EngineDoes[];
  ended: string;
}

/** @param socket the path of the Unix socket that Envoy finds it on */
export async function startRecordedEngine(
  { promises, metadata }: Setting,
  { config, policies }: Chains,
  socket: string,
): Promise<RecordedEngine> {
  const envoy = { ...promised, ...promises };
  const engine = await engineUnderTest(config, { ...envoy, ...(metadata === undefined ? {} : { metadata }) }, { policies });
  const transport = createTransport(
    transportUnderTest(),
    { addresses: [{ kind: "unix", path: socket }], serving: () => true, messageBytesMax: messageBytesMax(envoy.bodyBytesMax) },
    () => performance.now(),
  );
  let recordings: Recording[] = [];
  await transport.listen(recorded(engine.open, (recording) => recordings.push(recording)));
  return {
    async exchanges() {
      const deadline = performance.now() + openMsMax;
      while (engine.counters.read().open > 0) {
        if (performance.now() > deadline) throw new Error(`an exchange stays open: ${JSON.stringify(recordings)}`);
        await once(AbortSignal.timeout(pollMs), "abort");
      }
      const taken = recordings;
      recordings = [];
      return taken;
    },
    observed: () => engine.counters.read().observed,
    stop: () => transport.close(),
  };
}

const openMsMax = 5_000;
const pollMs = 5;

/** An engine whose every exchange is written down. */
export function recorded(open: OpenStream, opened: (recording: Recording) => void): OpenStream {
  return (metadata, sink) => {
    const recording: Recording = { saw: [], answers: [], ended: "gone" };
    opened(recording);
    const handler = open(metadata, recordedSink(sink, recording));
    return {
      message(bytes) {
        recording.saw.push(messageText(bytes));
        handler.message(bytes);
      },
      halfClosed: () => handler.halfClosed(),
      closed: () => handler.closed(),
      drained: () => handler.drained(),
    };
  };
}

function recordedSink(sink: StreamSink, recording: Recording): StreamSink {
  const answered = (bytes: Uint8Array): void => {
    recording.answers.push(engineDoes(bytes));
    // What no answer of the engine may hold, whatever the chain.
    const { overrideMessageTimeout, response } = ProcessingResponse.decode(bytes);
    const common = response !== undefined && "response" in response.value ? response.value.response : undefined;
    if (overrideMessageTimeout !== undefined || common?.clearRouteCache === true) throw new Error(`not for the engine to say: ${bytes}`);
  };
  return {
    send(bytes) {
      answered(bytes);
      return sink.send(bytes);
    },
    sendAndEnd(bytes) {
      answered(bytes);
      recording.ended = "ok";
      sink.sendAndEnd(bytes);
    },
    end() {
      recording.ended = "ok";
      sink.end();
    },
    fail(status, text) {
      recording.ended = status;
      sink.fail(status, text);
    },
    pause: () => sink.pause(),
    resume: () => sink.resume(),
  };
}

function messageText(bytes: Uint8Array): string {
  const { request } = ProcessingRequest.decode(bytes);
  switch (request?.$case) {
    case "requestHeaders":
      return `request-headers${more(request.value.endOfStream)}`;
    case "responseHeaders":
      return `response-headers${more(request.value.endOfStream)}`;
    case "requestBody":
      return `request-body ${bodyText(request.value.body)}${more(request.value.endOfStream)}`;
    case "responseBody":
      return `response-body ${bodyText(request.value.body)}${more(request.value.endOfStream)}`;
    case "requestTrailers":
      return "request-trailers";
    case "responseTrailers":
      return "response-trailers";
    case undefined:
      return "unknown";
    default:
      return request satisfies never;
  }
}

const more = (ended: boolean | undefined): string => (ended === true ? "" : " …");

function bodyText(bytes: Uint8Array = new Uint8Array()): string {
  const text = Buffer.from(bytes).toString("utf8");
  if (bytes.length > 64) return `(${bytes.length} bytes)`;
  return Buffer.from(text).equals(bytes) ? JSON.stringify(text) : `hex:${Buffer.from(bytes).toString("hex")}`;
}
