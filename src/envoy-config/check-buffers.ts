/** Whether Envoy can hold the bodies that chains read. */

import { sizeText } from "../config/quantities.ts";
import { problem } from "../errors.ts";
import type { CheckContext } from "./check-context.ts";
import { buffersBody } from "./demands.ts";
import { field, number } from "./field.ts";
import type { ConnectionManager } from "./parts.ts";
import { whereOf } from "./where.ts";

/** Envoy's own, bytes. */
const bufferDefaultBytes = 1024 * 1024;
/** Envoy 1.36's own, bytes (measured). */
const windowDefaultBytes = 16 * 1024 * 1024;
const buffer = "per_connection_buffer_limit_bytes";
const window = "initial_stream_window_size";

export function checkBuffers({ place: manager, listener }: ConnectionManager, { demands, report }: CheckContext): void {
  const needed = Math.max(
    0,
    ...[...demands.chains.values()].filter(({ needs }) => buffersBody(needs)).map(({ bodyBytesMax }) => bodyBytesMax),
  );
  const facts = { needed: sizeText(needed), bytes: needed + 65_536 };
  if (listener !== undefined) {
    const place = field(listener, buffer);
    const limit = number(place) ?? bufferDefaultBytes;
    const found = place === undefined ? `the default, ${sizeText(limit)},` : sizeText(limit);
    if (limit < needed) report(problem("envoy-buffer", whereOf(place, listener), { ...facts, key: buffer, found }));
  }
  // Over HTTP/2 it is the window that limits what a request may hold, and the listener's limit does not matter (measured).
  const place = field(manager, "http2_protocol_options", window);
  const limit = number(place) ?? windowDefaultBytes;
  if (limit < needed) {
    const found = `${place === undefined ? "the default, " : ""}${sizeText(limit)}${place === undefined ? "," : ""} over HTTP/2`;
    report(problem("envoy-buffer", whereOf(place, manager), { ...facts, key: window, found }));
  }
}
