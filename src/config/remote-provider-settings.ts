/** Providers that read from another machine: what they share, and what each needs. */
import { resolve } from "node:path";
import { problem } from "../errors.ts";
import { type ListenAddress, readAddress } from "./addresses.ts";
import { isLoopback } from "./loopback.ts";
import type { Place } from "./node.ts";
import { at, type Fields, type Report, readDuration, readFields, readList, readSize, readText, wrongType } from "./read.ts";
import { parseReference, reportMisplacedSecrets } from "./secrets.ts";
import type { SecretReference } from "./types.ts";

export interface RemoteSettings {
  /** How long an answer may take, milliseconds. Default 10000. */
  readonly timeoutMs: number;
  /** The largest answer, bytes. Default 4 MiB. */
  readonly bytesMax: number;
  /** Undefined: nothing else than what Node trusts, and no certificate of our own. */
  readonly tls: TlsFiles | undefined;
  /** Where the bearer token is; it is read anew for each connection. */
  readonly token: SecretReference | undefined;
}

/** PEM files, absolute paths, read anew for each connection. */
export interface TlsFiles {
  /** What vouches for the server, in place of what Node trusts. */
  readonly ca: string | undefined;
  /** Ours, for servers that ask for one. */
  readonly client: { readonly certificate: string; readonly key: string } | undefined;
}

export interface HttpSettings extends RemoteSettings {
  readonly kind: "http";
  /** One document each; at least one. */
  readonly urls: readonly string[];
  /** Between two questions, milliseconds, give or take a tenth. Default 30000. */
  readonly intervalMs: number;
  /** Where statistics are sent with each question; undefined: nowhere. */
  readonly report: string | undefined;
}

export interface XdsSettings extends RemoteSettings {
  readonly kind: "xds";
  readonly address: ListenAddress;
  /** What the server knows this engine by. Default: the name of the host. */
  readonly node: string | undefined;
  /** Between two messages with statistics, milliseconds; undefined: none is sent. */
  readonly reportIntervalMs: number | undefined;
}

const shared = ["timeout", "bytesMax", "tls", "token"];

export function readHttp(place: Place, directory: string, report: Report): HttpSettings | undefined {
  const fields = readRemoteFields(place, ["urls", "interval", "report"], report);
  if (fields === undefined) return undefined;
  const urls = fields.required("urls", "the addresses of documents, such as `[https://config.example.com/policies.yaml]`");
  const listed = (urls && readList(urls, report)) ?? [];
  if (urls?.node.kind === "list" && listed.length === 0) report(problem("empty-list", at(urls), { what: "urls" }));
  const reportTo = fields.optional("report");
  const interval = { what: "the interval", min: 100, max: 24 * 60 * 60_000 };
  return {
    kind: "http",
    urls: listed.map((url) => readUrl(url, report)).filter((url) => url !== undefined),
    intervalMs: readDuration(fields.optional("interval"), interval, report) ?? 30_000,
    report: reportTo && readUrl(reportTo, report),
    ...readRemote(fields, directory, report),
  };
}

export function readXds(place: Place, directory: string, report: Report): XdsSettings | undefined {
  const fields = readRemoteFields(place, ["address", "node", "reportInterval"], report);
  const addressPlace = fields?.required("address", "where the server listens: `tcp:HOST:PORT` or `unix:PATH`");
  const address = addressPlace && readAddress(addressPlace, directory, report);
  if (fields === undefined || addressPlace === undefined || address === undefined) return undefined;
  const remote = readRemote(fields, directory, report);
  if (address.kind === "tcp" && !isLoopback(address.host) && remote.tls === undefined) {
    report(
      problem("provider-in-clear", at(addressPlace), { address: `tcp:${address.host}`, remedy: "add `tls: {}`, or `tls: { ca: FILE }`" }),
    );
  }
  const interval = { what: "the interval", min: 1_000, max: 24 * 60 * 60_000 };
  return {
    kind: "xds",
    address,
    node: readText(fields.optional("node"), report),
    reportIntervalMs: readDuration(fields.optional("reportInterval"), interval, report),
    ...remote,
  };
}

function readRemoteFields(place: Place, own: readonly string[], report: Report): Fields | undefined {
  const fields = readFields(place, [...own, ...shared], report);
  for (const key of [...own, ...shared]) if (key !== "token") reportMisplacedSecrets(fields?.optional(key), report);
  return fields;
}

function readRemote(fields: Fields, directory: string, report: Report): RemoteSettings {
  return {
    timeoutMs: readDuration(fields.optional("timeout"), { what: "the timeout", min: 10, max: 10 * 60_000 }, report) ?? 10_000,
    bytesMax: readSize(fields.optional("bytesMax"), { what: "the size", min: 1, max: 256 * 1024 ** 2 }, report) ?? 4 * 1024 ** 2,
    tls: readTls(fields.optional("tls"), directory, report),
    token: readToken(fields.optional("token"), report),
  };
}

function readTls(place: Place | undefined, directory: string, report: Report): TlsFiles | undefined {
  const fields = place && readFields(place, ["ca", "certificate", "key"], report);
  if (fields === undefined) return undefined;
  const path = (key: string): string | undefined => {
    const text = readText(fields.optional(key), report);
    return text === undefined ? undefined : resolve(directory, text);
  };
  const [certificate, key] = [path("certificate"), path("key")];
  if (certificate !== undefined && key === undefined) fields.required("key", "the file with the key of the certificate");
  if (certificate === undefined && key !== undefined) fields.required("certificate", "the file with the certificate of the key");
  return { ca: path("ca"), client: certificate === undefined || key === undefined ? undefined : { certificate, key } };
}

/** Never the token itself: settings are printed, copied and committed. */
function readToken(place: Place | undefined, report: Report): SecretReference | undefined {
  const text = readText(place, report);
  if (place === undefined || text === undefined) return undefined;
  const [, content = ""] = /^\$\{(.*)\}$/s.exec(text) ?? [];
  const reference = parseReference(content);
  if (reference === undefined) report(wrongType(place, "a secret reference, such as `${file:/run/secrets/token}`"));
  return reference;
}

function readUrl(place: Place, report: Report): string | undefined {
  const text = readText(place, report);
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  const invalid = (detail: string): undefined => void report(problem("provider-address", at(place), { detail }));
  if (url === null || !/^https?:$/.test(url.protocol)) return invalid("it is no address of http or https");
  if (url.username !== "" || url.password !== "") return invalid("a name or password does not belong here: use `token`");
  if (url.hash !== "") return invalid("a part of a document cannot be asked for");
  if (url.protocol === "http:" && !isLoopback(url.hostname.replace(/^\[(.*)\]$/, "$1"))) {
    report(
      problem("provider-in-clear", at(place), { address: url.origin, remedy: "use https, with `tls: { ca: FILE }` for a private CA" }),
    );
    return undefined;
  }
  return url.href;
}
