import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { SourceDocument } from "../config/types.ts";
import type { Node } from "../generated/proto/envoy/config/core/v3/base.ts";
import type { DiscoveryRequest, DiscoveryResponse } from "../generated/proto/envoy/service/discovery/v3/discovery.ts";
import { retryDelayMs } from "./pace.ts";
import type { Provider, ProviderSink, Verdict } from "./provider.ts";
import { refusalText } from "./refusal-text.ts";
import { configurationType, readResource } from "./xds-document.ts";

export interface XdsProviderOptions {
  readonly name: string;
  /** Who asks. */
  readonly node: Node;
  /** How long the first response of a stream may take, milliseconds; later silence means that nothing has changed. */
  readonly timeoutMs: number;
  /** Between two messages with statistics, milliseconds; undefined: none is sent. */
  readonly reportIntervalMs: number | undefined;
  /** Opens a stream on a connection of its own; `close` ends both. Rejects when what it needs cannot be read. */
  readonly open: () => Promise<XdsConnection>;
  readonly startTimer: (milliseconds: number, expired: () => void) => () => void;
  /** From 0 to less than 1. */
  readonly random: () => number;
}

export interface XdsConnection {
  readonly stream: ClientDuplexStream<DiscoveryRequest, DiscoveryResponse>;
  close(): void;
}

/** The longest time between two attempts to reach a server that is away, milliseconds. */
const retryMsMax = 30_000;

/**
 * Configuration from a control plane: the aggregated discovery service over gRPC, state of the world, one type of resource. A response is one
 * state: it is delivered whole, and answered with what became of it (ACK, or NACK with the reasons).
 *
 * A new stream always begins without a version. A server that has lost count, or counts from one again, could take the version of an earlier
 * stream for its own newest and send nothing; so it sends what it has, and the registry sees by content whether that is news.
 *
 * Statistics travel in the metadata of the node: the protocol lets any request carry it, and who does not look at it takes the request for what
 * else it is, an answer or its repetition.
 */
export function xdsProvider(options: XdsProviderOptions): Provider {
  const { name, timeoutMs, reportIntervalMs, startTimer, random } = options;
  let connection: XdsConnection | undefined;
  let answers: Answers | undefined;
  let failures = 0;
  let closed = false;
  let stopTimer = (): void => {};
  let stopReports = (): void => {};

  return {
    name,
    async start(sink) {
      connect(sink);
    },
    rejudged: (verdict) => answers?.rejudged(verdict),
    async close() {
      closed = true;
      stopTimer();
      stopReports();
      connection?.close();
    },
  };

  function connect(sink: ProviderSink): void {
    options.open().then(
      (opened) => {
        if (closed) opened.close();
        else converse(opened, sink);
      },
      (error: unknown) => lost(error, sink),
    );
  }

  function converse(opened: XdsConnection, sink: ProviderSink): void {
    connection = opened;
    const { stream } = opened;
    const end = (error: unknown): void => {
      if (connection !== opened) return;
      connection = undefined;
      answers = undefined;
      stopTimer();
      stopReports();
      opened.close();
      if (!closed) lost(error, sink);
    };
    stopTimer = startTimer(timeoutMs, () => end(new Error(`the server has sent nothing within ${timeoutMs} ms`)));
    const ours = createAnswers(sink, (request) => {
      if (connection === opened) stream.write(reportIntervalMs === undefined ? request : { ...request, node: reportingNode(sink) });
    });
    const reportAgain = (intervalMs: number): void => {
      stopReports = startTimer(intervalMs, () => {
        // A server that does not read gets no more to read.
        if (!stream.writableNeedDrain) ours.repeat();
        reportAgain(intervalMs);
      });
    };
    answers = ours;
    if (reportIntervalMs !== undefined) reportAgain(reportIntervalMs);
    stream.on("data", (response: DiscoveryResponse) => {
      if (connection !== opened) return;
      stopTimer();
      failures = 0;
      ours.answer(response);
    });
    stream.on("error", end);
    stream.on("end", () => end(new Error("the server has ended the stream")));
    stream.write({ node: options.node, typeUrl: configurationType });
  }

  function reportingNode(sink: ProviderSink): Node {
    const statistics = sink.statistics();
    return { ...options.node, metadata: { ...options.node.metadata, ...(statistics === undefined ? {} : { statistics }) } };
  }

  function lost(error: unknown, sink: ProviderSink): void {
    if (closed) return;
    failures += 1;
    sink.failed(error instanceof Error ? error : new Error(String(error)));
    stopTimer = startTimer(retryDelayMs(failures, retryMsMax, random), () => connect(sink));
  }
}

interface Answers {
  /** Of several responses that are judged together only the newest is answered: it stands for those before. */
  answer(response: DiscoveryResponse): void;
  /** Answers the newest response once more: the verdict on it is another one. */
  rejudged(verdict: Verdict): void;
  /** Sends the last answer again, if it was an ACK and nothing has come since: a server may answer a NACK with the same state once more. */
  repeat(): void;
}

/** For the responses of one stream. */
function createAnswers(sink: ProviderSink, write: (request: DiscoveryRequest) => void): Answers {
  let newest: Received | undefined;
  /** The version accepted last on this stream. */
  let version = "";
  let acknowledgement: DiscoveryRequest | undefined;
  /** One answer after the other: a verdict may change before the first one was written. */
  let answered: Promise<void> = Promise.resolve();

  return {
    answer(response) {
      const received = { response, readable: readResponse(response, sink) };
      newest = received;
      acknowledgement = undefined;
      const refusal = judge(received.readable, response.versionInfo ?? "", sink);
      answered = refusal.then((why) => send(received, why));
    },
    rejudged(verdict) {
      const received = newest;
      // What could not be read was never delivered: the verdict is on something earlier, which no answer speaks of any more.
      if (received === undefined || "refusal" in received.readable) return;
      answered = answered.then(() => send(received, refusalOf(verdict)));
    },
    repeat() {
      if (acknowledgement !== undefined) write(acknowledgement);
    },
  };

  function send(received: Received, refusal: Refusal | undefined): void {
    if (received !== newest) return;
    const { typeUrl, nonce, versionInfo = "" } = received.response;
    if (refusal === undefined) version = versionInfo;
    const request = { typeUrl, versionInfo: version, responseNonce: nonce };
    acknowledgement = refusal === undefined ? request : undefined;
    write(refusal === undefined ? request : { ...request, errorDetail: refusal });
  }
}

interface Received {
  readonly response: DiscoveryResponse;
  readonly readable: Readable;
}

type Readable = { readonly documents: readonly SourceDocument[] } | { readonly refusal: Refusal };

type Refusal = NonNullable<DiscoveryRequest["errorDetail"]>;

/** google.rpc.Code */
const codes = { invalidArgument: 3, failedPrecondition: 9, internal: 13 } as const;

/** Why the response is refused; undefined when it is in use. Never rejects. */
async function judge(readable: Readable, version: string, sink: ProviderSink): Promise<Refusal | undefined> {
  return "refusal" in readable ? readable.refusal : refusalOf(await deliver(readable.documents, version, sink));
}

function readResponse(response: DiscoveryResponse, sink: ProviderSink): Readable {
  try {
    return { documents: documentsOf(response) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    sink.failed(new Error(`the server's response cannot be read: ${message}`, { cause: error }));
    return { refusal: { code: codes.invalidArgument, message } };
  }
}

async function deliver(documents: readonly SourceDocument[], version: string, sink: ProviderSink): Promise<Verdict | undefined> {
  // Applying is broken: what is wrong is said in the engine's log, and is nobody else's business.
  return sink.update(documents, version).catch(() => undefined);
}

function refusalOf(verdict: Verdict | undefined): Refusal | undefined {
  switch (verdict?.kind) {
    case undefined:
      return { code: codes.internal, message: "the engine could not apply it; its log says why" };
    case "accepted":
    case "unchanged":
      return undefined;
    case "held":
      return {
        code: codes.failedPrecondition,
        message: `held back: somebody has rolled back from this state to generation ${verdict.generation}; send another state`,
      };
    case "refused":
      return { code: codes.invalidArgument, message: refusalText(verdict.problems) };
    default:
      return verdict satisfies never;
  }
}

/** @throws when the response is not what was asked for */
function documentsOf({ typeUrl, resources = [] }: DiscoveryResponse): readonly SourceDocument[] {
  if (typeUrl !== configurationType) throw new Error(`resources of the type \`${typeUrl}\` were not asked for`);
  const documents = resources.map((resource, index) => {
    const place = `resource ${index + 1} of ${resources.length}`;
    if (resource.typeUrl !== configurationType) throw new Error(`${place} has the type \`${resource.typeUrl}\``);
    try {
      return readResource(resource.value ?? new Uint8Array());
    } catch (error) {
      throw new Error(`${place}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  });
  const names = new Set(documents.map(({ uri }) => uri));
  if (names.size < documents.length) throw new Error("two resources have the same name");
  return documents;
}
