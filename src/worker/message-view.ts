/**
 * The request and the response of one exchange as they stand, under all steps. Steps see them through `step-exchange.ts`, which adds
 * what a step may do; expressions see them through `variables.ts`.
 */
import { Buffer } from "node:buffer";
import type { BodyStore } from "./body-store.ts";
import { decodeText, HeaderStore } from "./header-store.ts";
import type { Journal } from "./journal.ts";
import type { ReceivedRequest } from "./received.ts";
import type { ReceivedHeaders } from "./received-headers.ts";

/**
 * Methods whose answer has no body, or is another protocol (RFC 9110 9.3.2 and 9.3.6). Changed from or to one of them, a client gets a 503, waits for
 * a body that never comes, or has its HTTP/2 stream reset (measured).
 */
const answersOtherwise = (method: string): boolean => method === "HEAD" || method === "CONNECT";

export class RequestView {
  readonly headers: HeaderStore;
  readonly time: number;
  /** Undefined until it is there: a step that needs it makes the exchange wait. */
  body: BodyStore | undefined;

  constructor(received: ReceivedRequest, journal: Journal) {
    this.headers = new HeaderStore(received.headers, journal);
    this.time = received.time;
  }

  get path(): string {
    return decodeText(this.#target().path);
  }

  set path(path: string) {
    if (!/^\/[\x21-\x22\x24-\x3e\x40-\x7e]*$/.test(path)) {
      throw new TypeError("a path starts with `/` and holds visible ASCII without `?` and `#`: percent-encode the rest");
    }
    this.#setTarget(Buffer.from(path, "latin1"), this.#target().query);
  }

  get query(): string {
    return decodeText(this.#target().query);
  }

  set query(query: string) {
    if (!/^[\x21\x22\x24-\x7e]*$/.test(query)) {
      throw new TypeError("a query holds visible ASCII without `#`: percent-encode the rest");
    }
    this.#setTarget(this.#target().path, Buffer.from(query, "latin1"));
  }

  get method(): string {
    return this.headers.text(":method") ?? "";
  }

  set method(method: string) {
    // RFC 9110 5.6.2 and 9.1: a method is a case-sensitive token.
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw new TypeError("a method is an HTTP token");
    if (method !== this.method && (answersOtherwise(method) || answersOtherwise(this.method))) {
      throw new TypeError(`a request cannot become ${method} from ${this.method}: the client waits for another kind of answer`);
    }
    this.headers.change(":method", [Buffer.from(method, "latin1")]);
  }

  get host(): string {
    return this.headers.text(":authority") ?? "";
  }

  set host(host: string) {
    // RFC 3986 3.2: host and optional port; Envoy refuses what is no valid authority.
    if (!/^[A-Za-z0-9\-._~!$&'()*+,;=:%[\]]+$/.test(host)) throw new TypeError("a host is a name or address with an optional port");
    this.headers.change(":authority", [Buffer.from(host, "latin1")]);
  }

  get scheme(): string {
    return this.headers.text(":scheme") ?? "";
  }

  /** As bytes: the half that is not set must stay what it was, also where it is no valid text. */
  #target(): Target {
    const [target = new Uint8Array()] = this.headers.values(":path");
    const mark = target.indexOf(questionMark);
    return mark === -1 ? { path: target, query: new Uint8Array() } : { path: target.subarray(0, mark), query: target.subarray(mark + 1) };
  }

  #setTarget(path: Uint8Array, query: Uint8Array): void {
    // RFC 9110 7.1: a request in asterisk-form (OPTIONS) or authority-form (CONNECT).
    if (this.#target().path[0] !== slash) throw new TypeError("the request has no path");
    this.headers.change(":path", [query.length === 0 ? path : Buffer.concat([path, Buffer.of(questionMark), query])]);
  }
}

interface Target {
  readonly path: Uint8Array;
  readonly query: Uint8Array;
}

const slash = 0x2f;
const questionMark = 0x3f;

export class ResponseView {
  readonly headers: HeaderStore;
  readonly origin: "upstream" | "reply";
  /** Undefined until it is there: a step that needs it makes the exchange wait. */
  body: BodyStore | undefined;

  constructor(headers: ReceivedHeaders, origin: "upstream" | "reply", journal: Journal) {
    this.headers = new HeaderStore(headers, journal);
    this.origin = origin;
  }

  get status(): number {
    const [value] = this.headers.texts(":status");
    return value === undefined ? 0 : Number(value);
  }

  set status(status: number) {
    assertStatus(status);
    if (this.origin === "upstream" && isWithoutBody(status) && !isWithoutBody(this.status)) {
      throw new RangeError(`a response that may have a body cannot get the status ${status}, which has none`);
    }
    this.headers.change(":status", [Buffer.from(String(status), "latin1")]);
  }
}

/** Throws a `RangeError` unless it is an integer from 200 to 599: Envoy makes a 200 of less and sends more as it is. */
export function assertStatus(status: number): void {
  if (!Number.isInteger(status) || status < 200 || status > 599) throw new RangeError("a status is an integer from 200 to 599");
}

/**
 * RFC 9110 15.3.5 and 15.4.5: a client takes whatever follows the header of such a response for the next one. Envoy 1.36 writes a body
 * there without a word (measured).
 */
export function isWithoutBody(status: number): boolean {
  return status === 204 || status === 304;
}

/**
 * RFC 9112 6.3: to the client nothing follows the headers of such a response, whatever its length says; a body would be taken for the next one.
 *
 * @param response undefined while there is none
 */
export function endsWithItsHeaders(received: ReceivedRequest, response: ResponseView | undefined): boolean {
  if (response?.origin !== "upstream") return false;
  return isWithoutBody(response.status) || received.headers.texts(":method").includes("HEAD");
}
