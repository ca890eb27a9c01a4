/**
 * The request and the response of one exchange as they stand, under all steps. Steps see them through `step-exchange.ts`, which adds
 * what a step may do; expressions see them through `variables.ts`.
 */
import { decodeText, HeaderStore } from "./header-store.ts";
import type { Journal } from "./journal.ts";
import type { ReceivedRequest, ReceivedResponse } from "./received.ts";

export class RequestView {
  readonly headers: HeaderStore;
  readonly time: number;

  constructor(received: ReceivedRequest, journal: Journal) {
    this.headers = new HeaderStore(received.headers, journal);
    this.time = received.time;
  }

  get path(): string {
    const [path] = splitTarget(this.headers.text(":path") ?? "");
    return path;
  }

  set path(path: string) {
    if (!/^\/[\x21-\x22\x24-\x3e\x40-\x7e]*$/.test(path)) {
      throw new TypeError("a path starts with `/` and holds visible ASCII without `?` and `#`: percent-encode the rest");
    }
    this.#setTarget(path, this.query);
  }

  get query(): string {
    const [, query] = splitTarget(this.headers.text(":path") ?? "");
    return query;
  }

  set query(query: string) {
    if (!/^[\x21\x22\x24-\x7e]*$/.test(query)) {
      throw new TypeError("a query holds visible ASCII without `#`: percent-encode the rest");
    }
    this.#setTarget(this.path, query);
  }

  get method(): string {
    return this.headers.text(":method") ?? "";
  }

  set method(method: string) {
    // RFC 9110 5.6.2 and 9.1: a method is a case-sensitive token.
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw new TypeError("a method is an HTTP token");
    this.#setPseudo(":method", method);
  }

  get host(): string {
    return this.headers.text(":authority") ?? "";
  }

  set host(host: string) {
    // RFC 3986 3.2: host and optional port; Envoy refuses what is no valid authority.
    if (!/^[A-Za-z0-9\-._~!$&'()*+,;=:%[\]]+$/.test(host)) throw new TypeError("a host is a name or address with an optional port");
    this.#setPseudo(":authority", host);
  }

  get scheme(): string {
    return this.headers.text(":scheme") ?? "";
  }

  #setTarget(path: string, query: string): void {
    this.#setPseudo(":path", query === "" ? path : `${path}?${query}`);
  }

  #setPseudo(name: string, value: string): void {
    this.headers.change(name, [Buffer.from(value, "latin1")]);
  }
}

export class ResponseView {
  readonly headers: HeaderStore;
  readonly origin: "upstream" | "reply";

  constructor(received: ReceivedResponse, origin: "upstream" | "reply", journal: Journal) {
    this.headers = new HeaderStore(received.headers, journal);
    this.origin = origin;
  }

  get status(): number {
    const [value] = this.headers.values(":status");
    return value === undefined ? 0 : Number(decodeText(value));
  }

  set status(status: number) {
    assertStatus(status);
    this.headers.change(":status", [Buffer.from(String(status), "latin1")]);
  }
}

/** Throws a `RangeError` unless it is an integer from 200 to 599: Envoy makes a 200 of less and sends more as it is. */
export function assertStatus(status: number): void {
  if (!Number.isInteger(status) || status < 200 || status > 599) throw new RangeError("a status is an integer from 200 to 599");
}

function splitTarget(target: string): readonly [path: string, query: string] {
  const mark = target.indexOf("?");
  return mark === -1 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)];
}
