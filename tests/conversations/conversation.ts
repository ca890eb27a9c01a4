/** Conversations between Envoy and the engine as data: what Envoy sends, what the engine answers. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import {
  ProcessingMode_BodySendMode as BodyMode,
  ProcessingMode_HeaderSendMode as HeaderMode,
  type ProcessingMode,
} from "../../src/generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import {
  type BodyMutation,
  type CommonResponse,
  type HeaderMutation,
  ProcessingRequest,
  ProcessingResponse,
} from "../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";

export interface Conversation {
  readonly name: string;
  /** Kernel states and rows of the failure contract that this conversation stands for. */
  readonly covers?: readonly string[];
  /** Differences from the settings that the printed Envoy configuration fits. */
  readonly settings?: {
    readonly identity?: "both" | "attributes" | "metadata";
    readonly allowModeOverride?: boolean;
    readonly responseHeaders?: "sent" | "skipped";
    readonly messageTimeoutMs?: number;
    /** What Envoy is told of the shared metadata. Default: nothing is told. */
    readonly metadata?: readonly string[];
    /** The process does not keep up. */
    readonly overloaded?: boolean;
  };
  /** The configuration, as YAML; `none` for an engine without one. Default: the file's. */
  readonly config?: string;
  /** Metadata of the stream. Default: `x-route: r:<route>`. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly exchange: readonly Turn[];
}

export interface Turn {
  readonly envoy: EnvoySays;
  /** What the engine does then, in order; nothing if absent. */
  readonly engine?: readonly EngineDoes[];
}

export type EnvoySays =
  | "half-close"
  | {
      readonly message: string;
      /** `:path` and the like included; a value or several; `hex:` in front of bytes. */
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      /** Attributes; `none` leaves the entry out. Default with the first message: `xds.route_name` of the route. */
      readonly attributes?: "none" | Readonly<Record<string, string | number>>;
      readonly observed?: boolean;
      /** Of a headers message: a body follows. Default false. */
      readonly more?: boolean;
      /** Of a body message; `hex:` in front of bytes. */
      readonly body?: string;
      /** Bodies that Envoy's own configuration sends whole (`protocol_config`). */
      readonly configured?: readonly ("request" | "response")[];
      /** Bodies that Envoy's own configuration sends in FULL_DUPLEX_STREAMED, and in STREAMED. */
      readonly duplex?: readonly ("request" | "response")[];
      readonly streamed?: readonly ("request" | "response")[];
      readonly hex?: string;
    };

export type EngineDoes =
  | {
      readonly answer: string;
      /** What Envoy is told of the exchange; absent when nothing is. */
      readonly tells?: Readonly<Record<string, unknown>>;
      readonly set?: Readonly<Record<string, readonly string[]>>;
      readonly remove?: readonly string[];
      readonly ask?: "send" | "skip";
      /** Bodies that are asked for whole, and in pieces. */
      readonly buffer?: readonly string[];
      readonly stream?: readonly string[];
      readonly body?: string;
      /** A part of a body that passes in pieces; ` …` behind all but the last. */
      readonly part?: string;
    }
  | {
      readonly reply: number;
      readonly code: string;
      readonly tells?: Readonly<Record<string, unknown>>;
      readonly headers?: Readonly<Record<string, readonly string[]>>;
      readonly body?: string;
      readonly grpcStatus?: number;
    }
  | { readonly end: "ok" | "internal" | "unavailable" };

export interface ConversationFile {
  readonly file: string;
  readonly config: string;
  readonly conversations: readonly Conversation[];
}

export function conversationFiles(): readonly ConversationFile[] {
  const folder = import.meta.dirname;
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => ({ file, ...parse(readFileSync(join(folder, file), "utf8")) }));
}

/** The bytes that Envoy would send. */
export function envoyBytes(says: Exclude<EnvoySays, "half-close">, first: boolean, route: string): Uint8Array {
  if (says.hex !== undefined) return Buffer.from(says.hex, "hex");
  const attributes = says.attributes ?? (first ? { "xds.route_name": route } : "none");
  return ProcessingRequest.encode({
    request: requestOf(says),
    ...(attributes === "none" ? {} : { attributes: { "envoy.filters.http.ext_proc": attributes } }),
    ...(says.observed === true ? { observabilityMode: true } : {}),
    ...(says.configured === undefined && says.streamed === undefined && says.duplex === undefined
      ? {}
      : { protocolConfig: { requestBodyMode: configuredMode(says, "request"), responseBodyMode: configuredMode(says, "response") } }),
  }).finish();
}

function configuredMode(
  { configured = [], duplex = [], streamed = [] }: Exclude<EnvoySays, "half-close">,
  direction: "request" | "response",
): BodyMode {
  if (duplex.includes(direction)) return BodyMode.FULL_DUPLEX_STREAMED;
  if (configured.includes(direction)) return BodyMode.BUFFERED;
  return streamed.includes(direction) ? BodyMode.STREAMED : BodyMode.NONE;
}

function requestOf({ message, headers = {}, more = false, body = "body" }: Exclude<EnvoySays, "half-close">): ProcessingRequest["request"] {
  const entries = Object.entries(headers).flatMap(([key, value]) =>
    (typeof value === "string" ? [value] : value).map((one) => ({
      key,
      rawValue: bytesOf(one),
    })),
  );
  switch (message) {
    case "request-headers":
      return { $case: "requestHeaders", value: { headers: { headers: entries }, endOfStream: !more } };
    case "response-headers":
      return { $case: "responseHeaders", value: { headers: { headers: entries }, endOfStream: !more } };
    case "request-body":
      return { $case: "requestBody", value: { body: bytesOf(body), endOfStream: !more } };
    case "response-body":
      return { $case: "responseBody", value: { body: bytesOf(body), endOfStream: !more } };
    case "request-trailers":
      return { $case: "requestTrailers", value: { trailers: { headers: entries } } };
    case "response-trailers":
      return { $case: "responseTrailers", value: { trailers: { headers: entries } } };
    case "unknown":
      return undefined;
    default:
      throw new Error(`no such message: ${message}`);
  }
}

const bytesOf = (text: string): Buffer => (text.startsWith("hex:") ? Buffer.from(text.slice(4), "hex") : Buffer.from(text, "utf8"));

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** An answer of the engine in the words of the data. */
export function engineDoes(bytes: Uint8Array): EngineDoes {
  const { response, modeOverride, dynamicMetadata } = ProcessingResponse.decode(bytes);
  const tells = dynamicMetadata === undefined ? {} : { tells: toldIn(dynamicMetadata) };
  if (response === undefined) throw new Error("an answer without a phase");
  if (response.$case === "immediateResponse") {
    const { status, headers, body, grpcStatus, details } = response.value;
    const { set } = mutationOf(headers ?? {});
    return {
      reply: status?.code ?? 0,
      code: (details ?? "").replace(/^policy_engine_/, ""),
      headers: set,
      body: Buffer.from(body ?? []).toString("utf8"),
      ...tells,
      ...(grpcStatus?.status === undefined ? {} : { grpcStatus: grpcStatus.status }),
    };
  }
  const isTrailers = response.$case === "requestTrailers" || response.$case === "responseTrailers";
  const common: CommonResponse = isTrailers ? response.value : (response.value.response ?? {});
  const { set, remove } = mutationOf(common.headerMutation ?? {});
  const change = common.bodyMutation?.mutation;
  return {
    answer: kebab(response.$case),
    ...tells,
    ...(Object.keys(set).length === 0 ? {} : { set }),
    ...(remove.length === 0 ? {} : { remove }),
    ...(change === undefined ? {} : bodyOf(change)),
    ...(modeOverride === undefined ? {} : asks(modeOverride)),
  };
}

function bodyOf(change: NonNullable<BodyMutation["mutation"]>): { readonly body: string } | { readonly part: string } {
  switch (change.$case) {
    case "body":
      return { body: textOf(Buffer.from(change.value)) };
    case "clearBody":
      return { body: "" };
    case "streamedResponse":
      return { part: `${textOf(Buffer.from(change.value.body ?? []))}${change.value.endOfStream === true ? "" : " …"}` };
    default:
      return change satisfies never;
  }
}

/** Only the engine's own namespace may be there. */
function toldIn(metadata: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { "policy.engine": told, ...others } = metadata;
  if (typeof told !== "object" || told === null || Object.keys(others).length > 0) throw new Error("metadata of somebody else");
  return { ...told };
}

/** All six modes are always there, and a body never without its trailers. */
function asks(mode: ProcessingMode): {
  readonly ask: "send" | "skip";
  readonly buffer?: readonly string[];
  readonly stream?: readonly string[];
} {
  // The first of an enum may be written or left out.
  const trailers = (body: BodyMode = BodyMode.NONE) => (body === BodyMode.NONE ? HeaderMode.SKIP : HeaderMode.SEND);
  if (mode.requestHeaderMode !== HeaderMode.SEND) throw new Error("an override that switches request headers off");
  if (mode.requestTrailerMode !== trailers(mode.requestBodyMode)) throw new Error("request trailers do not go with the body");
  if (mode.responseTrailerMode !== trailers(mode.responseBodyMode)) throw new Error("response trailers do not go with the body");
  const inMode = (wanted: BodyMode): readonly string[] => [
    ...(mode.requestBodyMode === wanted ? ["request"] : []),
    ...(mode.responseBodyMode === wanted ? ["response"] : []),
  ];
  const buffer = inMode(BodyMode.BUFFERED);
  const stream = inMode(BodyMode.FULL_DUPLEX_STREAMED);
  return {
    ask: mode.responseHeaderMode === HeaderMode.SEND ? "send" : "skip",
    ...(buffer.length === 0 ? {} : { buffer }),
    ...(stream.length === 0 ? {} : { stream }),
  };
}

/** Sets by name; an appended value carries a `+` in front, bytes that are no UTF-8 are written as `hex:`. */
function mutationOf(mutation: HeaderMutation): { set: Record<string, string[]>; remove: readonly string[] } {
  const set: Record<string, string[]> = {};
  for (const { header, append } of mutation.setHeaders ?? []) {
    const name = header?.key ?? "";
    const bytes = Buffer.from(header?.rawValue ?? []);
    const text = textOf(bytes);
    set[name] ??= [];
    set[name].push(append === true ? `+${text}` : text);
  }
  return { set, remove: mutation.removeHeaders ?? [] };
}

const textOf = (bytes: Buffer): string =>
  bytes.equals(Buffer.from(bytes.toString("utf8"))) ? bytes.toString("utf8") : `hex:${bytes.toString("hex")}`;
