/** TLS on the TCP ports that Envoy comes to. */
import { resolve } from "node:path";
import { problem } from "../errors.ts";
import type { ListenAddress } from "./addresses.ts";
import type { Place } from "./node.ts";
import { atKey, type Fields, type Report, readFields, readText } from "./read.ts";

/** PEM files, absolute paths; they are watched, and replaced ones take effect for new connections. */
export interface ServerTlsFiles {
  /** The engine's own certificate, with the intermediate ones behind it. */
  readonly certificate: string;
  readonly key: string;
  /** What vouches for clients. Undefined: clients are not asked for a certificate. */
  readonly clientCa: string | undefined;
}

/** Unix sockets stay as they are: their file's rights say who comes in. So TLS without a TCP address protects nothing, and is refused. */
export function readServerTls(
  place: Place | undefined,
  directory: string,
  listen: readonly ListenAddress[],
  report: Report,
): ServerTlsFiles | undefined {
  const fields = place && readFields(place, ["certificate", "key", "clientCa"], report);
  if (place === undefined || fields === undefined) return undefined;
  if (listen.length > 0 && !listen.some(({ kind }) => kind === "tcp")) {
    const detail = "`tls` is for TCP ports, and every address in `listen` is a Unix socket";
    report(problem("settings-contradiction", atKey(place), { detail, remedy: "leave `tls` out, or listen on `tcp:HOST:PORT`" }));
  }
  const certificate = readPath(fields.required("certificate", "the PEM file with the engine's certificate"), directory, report);
  const key = readPath(fields.required("key", "the PEM file with the key of the certificate"), directory, report);
  const clientCa = readPath(fields.optional("clientCa"), directory, report);
  return certificate === undefined || key === undefined ? undefined : { certificate, key, clientCa };
}

function readPath(place: ReturnType<Fields["optional"]>, directory: string, report: Report): string | undefined {
  const path = readText(place, report);
  return path === undefined ? undefined : resolve(directory, path);
}
