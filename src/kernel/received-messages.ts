/** From Envoy's headers messages to what a run is given. */
import { decodeText, type HeaderEntry } from "../worker/header-store.ts";
import type { ReceivedRequest, ReceivedResponse } from "../worker/received.ts";
import type { Incoming } from "./wire/decode.ts";

export function receivedRequest(
  incoming: Incoming,
  { id, time, routeName }: { readonly id: string; readonly time: number; readonly routeName: string },
): ReceivedRequest {
  const address = incoming.attributes?.get("source.address");
  const port = incoming.attributes?.get("source.port");
  return {
    id,
    time,
    headers: incoming.headers,
    hasBody: !incoming.endOfStream,
    upgrade: isUpgrade(incoming.headers),
    route: { name: routeName, metadata: routeMetadata(incoming) },
    source: { address: typeof address === "string" ? address : undefined, port: typeof port === "number" ? port : undefined },
  };
}

export function receivedResponse({ headers, endOfStream }: Incoming): ReceivedResponse {
  return { headers, hasBody: !endOfStream, eventStream: isEventStream(headers) };
}

/** The first value of this name as text; undefined when there is none. */
export function receivedText(headers: readonly HeaderEntry[], wanted: string): string | undefined {
  const entry = headers.find(({ name }) => name === wanted);
  return entry === undefined ? undefined : decodeText(entry.value);
}

/** RFC 9110 7.8 and 9.3.6, RFC 8441: a request after which both sides speak another protocol. */
function isUpgrade(headers: readonly HeaderEntry[]): boolean {
  return headers.some(({ name, value }) => name === "upgrade" || (name === ":method" && decodeText(value) === "CONNECT"));
}

/**
 * By the content-type as the upstream sent it: `accept` is the client's, which must not switch a chain off, and what a step makes of the header
 * does not give the body an end.
 */
function isEventStream(headers: readonly HeaderEntry[]): boolean {
  return /^text\/event-stream\s*(?:;|$)/i.test(receivedText(headers, "content-type") ?? "");
}

const routeMetadataAttribute = /^xds\.route_metadata\.filter_metadata\['policy\.engine'\]\['([^']+)'\]$/;

/** Envoy's route metadata, which comes as one attribute for each key. */
function routeMetadata({ attributes }: Incoming): Readonly<Record<string, unknown>> {
  const metadata: Record<string, unknown> = {};
  for (const [name, value] of attributes ?? []) {
    const key = routeMetadataAttribute.exec(name)?.[1];
    if (key !== undefined && key !== "__proto__") metadata[key] = value;
  }
  return metadata;
}
