/**
 * A request of the admin port that does something. The port asks for no password, so this is for whoever can already act on the machine, and for no
 * web page:
 *
 * - The connection comes from this machine, whatever address the port is bound to.
 * - A browser sends JSON to another site only after a question that this port does not answer, and always with `Origin`.
 */
import type { IncomingMessage } from "node:http";
import { json, type Page } from "./page.ts";

/** The answer to a request that must not do anything; undefined when it may. */
export function refusalOf({ method, socket, headers }: IncomingMessage): Page | undefined {
  // What is refused here may come with a body that is not read: nothing else can be read from the connection.
  const refused = (status: number, error: string, more = {}): Page => json(status, { error }, { connection: "close", ...more });
  if (method !== "POST") return refused(405, "only POST", { allow: "POST" });
  if (!isThisMachine(socket.remoteAddress)) return refused(403, "only from the machine or container that the engine runs in");
  if (headers.origin !== undefined) return refused(403, "not from a web page");
  if (headers["content-type"]?.split(";")[0]?.trim().toLowerCase() !== "application/json") {
    return refused(415, "send `content-type: application/json`");
  }
  return undefined;
}

function isThisMachine(address: string | undefined): boolean {
  return address === "::1" || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(address ?? "");
}

/** Undefined when it is too long or no UTF-8. */
export async function readText(request: IncomingMessage, bodyBytesMax: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return undefined;
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    return undefined;
  }
}
