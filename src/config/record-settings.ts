/** `decisionLog` and `traces` of the settings: what leaves the process about exchanges, and where it goes. */
import { resolve } from "node:path";
import { problem } from "../errors.ts";
import { namesCredential } from "./credential-names.ts";
import type { Place } from "./node.ts";
import { at, type Fields, type Report, readList, readNumber, readText } from "./read.ts";

export interface DecisionLogSettings {
  readonly to: RecordTarget;
  /** The share of the exchanges that neither a policy nor the engine answered and in which nothing failed, from 0 to 1. Default 0. */
  readonly sample: number;
  /** Names of request headers, lower case, whose values are written as they were received. Default: none. */
  readonly headers: readonly string[];
}

export interface TraceSettings {
  readonly to: OtlpTarget;
}

/** A file's path is absolute. */
export type RecordTarget = { readonly kind: "stdout" } | { readonly kind: "file"; readonly path: string } | OtlpTarget;

/** A collector that takes OTLP/HTTP. The origin and path before `/v1/...`, without a slash at the end. */
export interface OtlpTarget {
  readonly kind: "otlp";
  readonly url: string;
}

export const loggedHeadersMax = 16;

export function readDecisionLog(fields: Fields | undefined, directory: string, report: Report): DecisionLogSettings | undefined {
  const to = fields?.required("to", "where the decisions are written: `stdout`, `file:PATH` or `otlp:URL`");
  const target = to && readTarget(to, directory, report);
  const sample = readNumber(fields?.optional("sample"), { what: "the share", min: 0, max: 1 }, report) ?? 0;
  const headers = readHeaderNames(fields?.optional("headers"), report);
  return target && { to: target, sample, headers };
}

export function readTraces(fields: Fields | undefined, report: Report): TraceSettings | undefined {
  const to = fields?.required("to", "the collector of the spans: `otlp:URL`");
  const text = readText(to, report);
  const target = to && text !== undefined ? readOtlp(text, to, report) : undefined;
  return target && { to: target };
}

function readTarget(place: Place, directory: string, report: Report): RecordTarget | undefined {
  const text = readText(place, report);
  if (text === undefined) return undefined;
  if (text === "stdout") return { kind: "stdout" };
  if (text.startsWith("file:") && text.length > "file:".length)
    return { kind: "file", path: resolve(directory, text.slice("file:".length)) };
  return readOtlp(text, place, report);
}

function readOtlp(text: string, place: Place, report: Report): OtlpTarget | undefined {
  const url = text.startsWith("otlp:") ? URL.parse(text.slice("otlp:".length)) : null;
  // A user and password in an address end up in logs and error messages.
  const plain = url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (plain && ["http:", "https:"].includes(url.protocol)) return { kind: "otlp", url: url.href.replace(/\/+$/, "") };
  report(problem("record-target-invalid", at(place), {}));
  return undefined;
}

function readHeaderNames(place: Place | undefined, report: Report): readonly string[] {
  const items = (place && readList(place, report)) ?? [];
  if (place !== undefined && items.length > loggedHeadersMax) {
    report(problem("too-many", at(place), { what: "header names", found: items.length, max: loggedHeadersMax }));
    return [];
  }
  return items.map((item) => readHeaderName(item, report)).filter((name) => name !== undefined);
}

function readHeaderName(place: Place, report: Report): string | undefined {
  const name = readText(place, report);
  if (name === undefined) return undefined;
  if (!/^[a-z\d!#$%&'*+.^_`|~-]{1,128}$/.test(name)) {
    report(problem("invalid-name", at(place), { name, kind: "header", rule: "the header's name in lower case" }));
    return undefined;
  }
  if (!namesCredential(name)) return name;
  report(problem("header-secret", at(place), { header: name }));
  return undefined;
}
