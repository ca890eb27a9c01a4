/** Addresses to listen on: `unix:PATH`, `tcp:HOST:PORT`. */
import { resolve } from "node:path";
import { problem } from "../errors.ts";
import type { Place } from "./node.ts";
import { at, type Report, readText } from "./read.ts";

export type ListenAddress = { readonly kind: "unix"; readonly path: string } | TcpAddress;

/** Port 0 asks the system for a free one. An IPv6 host has no brackets here. */
export interface TcpAddress {
  readonly kind: "tcp";
  readonly host: string;
  readonly port: number;
}

/** The kernel's `sun_path` without its end (unix(7)), bytes. */
export const socketPathBytesMax = 107;

/** A relative socket path starts at `directory`. */
export function readAddress(place: Place, directory: string, report: Report): ListenAddress | undefined {
  const text = readText(place, report);
  if (text === undefined) return undefined;
  const expected = "`unix:PATH` or `tcp:HOST:PORT`, such as `tcp:127.0.0.1:9100`";
  if (text.startsWith("tcp:")) return parseTcp(text, place, expected, report);
  if (!/^unix:./.test(text)) return invalid(place, text, "it is neither a Unix socket nor a TCP port", expected, report);
  const path = resolve(directory, text.slice("unix:".length));
  if (Buffer.byteLength(path) <= socketPathBytesMax) return { kind: "unix", path };
  return invalid(place, text, `the path has more than ${socketPathBytesMax} bytes`, "a shorter path", report);
}

export function readTcpAddress(place: Place, report: Report): TcpAddress | undefined {
  const text = readText(place, report);
  return text === undefined ? undefined : parseTcp(text, place, "`tcp:HOST:PORT`, such as `tcp:127.0.0.1:9101`", report);
}

/** As it is written in settings. */
export function addressText(address: ListenAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const { host, port } = address;
  return `tcp:${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function parseTcp(text: string, place: Place, expected: string, report: Report): TcpAddress | undefined {
  const [, ipv6, name, port] = /^tcp:(?:\[([\da-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (host === undefined) return invalid(place, text, "it is no host and port", expected, report);
  if (Number(port) > 65_535) return invalid(place, text, "ports end at 65535", expected, report);
  return { kind: "tcp", host, port: Number(port) };
}

function invalid(place: Place, found: string, detail: string, expected: string, report: Report): undefined {
  report(problem("address-invalid", at(place), { found, detail, expected }));
  return undefined;
}
