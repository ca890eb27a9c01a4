/** From Envoy's headers messages to what a run is given. */
import { decodeText } from "../worker/header-store.ts";
import type { ReceivedRequest, ReceivedResponse, ReceivedRoute, ReceivedSource } from "../worker/received.ts";
import type { ReceivedHeaders } from "../worker/received-headers.ts";
import type { Incoming } from "./wire/decode.ts";
import type { Attributes } from "./wire/wire-attributes.ts";

export function receivedRequest(
  { headers, attributes, endOfStream }: Incoming,
  { id, time, routeName }: { readonly id: string; readonly time: number; readonly routeName: string },
): ReceivedRequest {
  return {
    id,
    time,
    headers,
    hasBody: !endOfStream,
    upgrade: isUpgrade(headers),
    route: new AttributedRoute(routeName, attributes),
    source: new AttributedSource(attributes),
  };
}

export function receivedResponse({ headers, endOfStream }: Incoming): ReceivedResponse {
  return { headers, hasBody: !endOfStream, eventStream: isEventStream(headers) };
}

/** The first value of this name as text; undefined when there is none. */
export function receivedText(headers: ReceivedHeaders, name: string): string | undefined {
  const [value] = headers.values(name);
  return value === undefined ? undefined : decodeText(value);
}

/** RFC 9110 7.8 and 9.3.6, RFC 8441: a request after which both sides speak another protocol. */
function isUpgrade(headers: ReceivedHeaders): boolean {
  return headers.has("upgrade") || headers.values(":method").some((value) => decodeText(value) === "CONNECT");
}

/**
 * By the content-type as the upstream sent it: `accept` is the client's, which must not switch a chain off, and what a step makes of the header
 * does not give the body an end.
 */
function isEventStream(headers: ReceivedHeaders): boolean {
  return /^text\/event-stream\s*(?:;|$)/i.test(receivedText(headers, "content-type") ?? "");
}

const routeMetadataAttribute = /^xds\.route_metadata\.filter_metadata\['policy\.engine'\]\['([^']+)'\]$/;

/** Envoy's route metadata, which comes as one attribute for each key. Read when somebody asks for it. */
class AttributedRoute implements ReceivedRoute {
  readonly name: string;
  readonly #attributes: Attributes | undefined;
  #metadata: Readonly<Record<string, unknown>> | undefined;

  constructor(name: string, attributes: Attributes | undefined) {
    this.name = name;
    this.#attributes = attributes;
  }

  get metadata(): Readonly<Record<string, unknown>> {
    this.#metadata ??= routeMetadata(this.#attributes);
    return this.#metadata;
  }
}

class AttributedSource implements ReceivedSource {
  readonly #attributes: Attributes | undefined;

  constructor(attributes: Attributes | undefined) {
    this.#attributes = attributes;
  }

  get address(): string | undefined {
    const address = this.#attributes?.get("source.address");
    return typeof address === "string" ? address : undefined;
  }

  get port(): number | undefined {
    const port = this.#attributes?.get("source.port");
    return typeof port === "number" ? port : undefined;
  }
}

function routeMetadata(attributes: Attributes | undefined): Readonly<Record<string, unknown>> {
  const metadata: Record<string, unknown> = {};
  for (const name of attributes?.names() ?? []) {
    const key = routeMetadataAttribute.exec(name)?.[1];
    const value = attributes?.get(name);
    if (key !== undefined && key !== "__proto__" && value !== undefined) metadata[key] = value;
  }
  return metadata;
}
