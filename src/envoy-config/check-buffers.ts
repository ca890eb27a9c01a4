/** Whether Envoy can hold the bodies that chains read. */

import { sizeText } from "../config/quantities.ts";
import { problem } from "../errors.ts";
import type { CheckContext } from "./check-context.ts";
import { readsBody } from "./demands.ts";
import { field, number } from "./field.ts";
import type { ConnectionManager } from "./parts.ts";
import { whereOf } from "./where.ts";

/** Envoy's own, bytes. */
const bufferDefaultBytes = 1024 * 1024;

export function checkBuffers({ listener }: ConnectionManager, { demands, report }: CheckContext): void {
  if (listener === undefined) return;
  const needed = Math.max(
    0,
    ...[...demands.chains.values()].filter(({ needs }) => readsBody(needs)).map(({ bodyBytesMax }) => bodyBytesMax),
  );
  const place = field(listener, "per_connection_buffer_limit_bytes");
  const limit = number(place) ?? bufferDefaultBytes;
  if (limit >= needed) return;
  const facts = {
    found: place === undefined ? `the default, ${sizeText(limit)},` : sizeText(limit),
    needed: sizeText(needed),
    bytes: needed + 65_536,
  };
  report(problem("envoy-buffer", whereOf(place, listener), facts));
}
