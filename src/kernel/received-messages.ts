/** From Envoy's headers messages to what a run is given. */
import type { ReceivedRequest, ReceivedResponse, ReceivedRoute, ReceivedSource } from "../worker/received.ts";
import type { ReceivedHeaders } from "../worker/received-headers.ts";
import type { Incoming } from "./wire/decode.ts";
import type { Attributes } from "./wire/wire-attributes.ts";

/** A request as Envoy's message says it. What few ask for is read off the message when they do. */
export class IncomingRequest implements ReceivedRequest {
  readonly time: number;
  readonly headers: ReceivedHeaders;
  readonly hasBody: boolean;
  readonly route: ReceivedRoute;
  readonly #exchange: Identified;
  readonly #attributes: Attributes | undefined;
  #upgrade: boolean | undefined;
  #source: ReceivedSource | undefined;

  /** @param time milliseconds since the epoch */
  constructor({ headers, attributes, endOfStream }: Incoming, exchange: Identified, time: number, routeName: string) {
    this.time = time;
    this.headers = headers;
    this.hasBody = !endOfStream;
    this.route = new AttributedRoute(routeName, attributes);
    this.#exchange = exchange;
    this.#attributes = attributes;
  }

  get id(): string {
    return this.#exchange.id;
  }

  get upgrade(): boolean {
    this.#upgrade ??= isUpgrade(this.headers);
    return this.#upgrade;
  }

  get source(): ReceivedSource {
    this.#source ??= new AttributedSource(this.#attributes);
    return this.#source;
  }
}

/** An exchange gets its id when somebody asks for it. */
export interface Identified {
  readonly id: string;
}

export function receivedResponse({ headers, endOfStream }: Incoming): ReceivedResponse {
  return { headers, hasBody: !endOfStream, eventStream: isEventStream(headers) };
}

/** The first value of this name as text; undefined when there is none. */
export function receivedText(headers: ReceivedHeaders, name: string): string | undefined {
  return headers.texts(name)[0];
}

/** RFC 9110 7.8 and 9.3.6, RFC 8441: a request after which both sides speak another protocol. */
function isUpgrade(headers: ReceivedHeaders): boolean {
  return headers.has("upgrade") || headers.texts(":method").includes("CONNECT");
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
