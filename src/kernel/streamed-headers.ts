import { aboutTheBytes } from "../worker/body-store.ts";
import type { HeaderChanges } from "../worker/header-store.ts";
import type { ReceivedHeaders } from "../worker/received-headers.ts";
import type { Continued } from "../worker/run-outcome.ts";

/**
 * The changes of headers whose body is to pass through transforms: what they say of the bytes is true no longer. A stale content-length is request
 * smuggling, because in FULL_DUPLEX_STREAMED Envoy compares it with nothing (measured); without one the body is chunked.
 */
export function streamedHeaders(received: ReceivedHeaders, { changes, touched }: Continued): HeaderChanges {
  const stale = ["content-length", ...aboutTheBytes].filter((wanted) => received.has(wanted) && !touched(wanted));
  return { remove: [...changes.remove, ...stale], set: changes.set };
}
