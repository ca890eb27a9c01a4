/**
 * What expressions see of an exchange. Getters all the way down: only what an expression reads is computed, and always as it stands now.
 * The names and types are those of `config/scope.ts`.
 */
import type { BodyStore } from "./body-store.ts";
import type { HeaderStore } from "./header-store.ts";
import type { RequestView, ResponseView } from "./message-view.ts";
import type { MetadataStore } from "./metadata-store.ts";
import type { ReceivedRequest } from "./received.ts";

export interface VariableSources {
  readonly received: ReceivedRequest;
  readonly request: RequestView;
  /** Undefined until the response is there. */
  readonly response: ResponseView | undefined;
  readonly metadata: MetadataStore;
}

/** The root names `request`, `source`, `route`, `metadata`, `response`. */
export class ExchangeVariables {
  readonly #sources: VariableSources;
  #request: RequestVariables | undefined;
  #metadata: MetadataVariable | undefined;

  constructor(sources: VariableSources) {
    this.#sources = sources;
  }

  get request(): RequestVariables {
    this.#request ??= new RequestVariables(this.#sources);
    return this.#request;
  }

  get source(): { readonly address: string | undefined; readonly port: number | undefined } {
    return this.#sources.received.source;
  }

  get route(): { readonly name: string; readonly metadata: Readonly<Record<string, unknown>> } {
    return this.#sources.received.route;
  }

  get metadata(): MetadataVariable {
    this.#metadata ??= new MetadataVariable(this.#sources.metadata);
    return this.#metadata;
  }

  get response(): ResponseVariables | undefined {
    const { response } = this.#sources;
    return response === undefined ? undefined : new ResponseVariables(response);
  }
}

/** What is no JSON is missing, so that a condition says itself what that means. */
function jsonOf(body: BodyStore | undefined): unknown {
  try {
    return body?.json();
  } catch {
    return undefined;
  }
}

class RequestVariables {
  readonly #sources: VariableSources;
  #headers: HeadersVariable | undefined;

  constructor(sources: VariableSources) {
    this.#sources = sources;
  }

  get headers(): HeadersVariable {
    this.#headers ??= new HeadersVariable(this.#sources.request.headers);
    return this.#headers;
  }

  get method(): string {
    return this.#sources.request.method;
  }

  get path(): string {
    return this.#sources.request.path;
  }

  get query(): string {
    return this.#sources.request.query;
  }

  get host(): string {
    return this.#sources.request.host;
  }

  get scheme(): string {
    return this.#sources.request.scheme;
  }

  get json(): unknown {
    return jsonOf(this.#sources.request.body);
  }

  /** Envoy's request id; the engine's own where Envoy sends none. */
  get id(): string {
    return this.#sources.request.headers.text("x-request-id") ?? this.#sources.received.id;
  }

  get time(): Date {
    return new Date(this.#sources.received.time);
  }
}

class ResponseVariables {
  readonly #response: ResponseView;
  readonly headers: HeadersVariable;

  constructor(response: ResponseView) {
    this.#response = response;
    this.headers = new HeadersVariable(response.headers);
  }

  get status(): number {
    return this.#response.status;
  }

  get json(): unknown {
    return jsonOf(this.#response.body);
  }
}

/** What steps share, by name: a record, of which expressions ask for single fields. A Map for the same reason as the headers. */
class MetadataVariable extends Map<string, unknown> {
  readonly #store: MetadataStore;

  constructor(store: MetadataStore) {
    super();
    this.#store = store;
  }

  override get(name: string): unknown {
    return this.#store.peek(name);
  }
}

/** Headers as a map of name to text, several values joined. A Map, because that is what expressions index without leaking prototypes. */
class HeadersVariable extends Map<string, string> {
  readonly #store: HeaderStore;

  constructor(store: HeaderStore) {
    super();
    this.#store = store;
  }

  override get(name: string): string | undefined {
    return name.startsWith(":") ? undefined : this.#store.text(name);
  }

  override has(name: string): boolean {
    return !name.startsWith(":") && this.#store.has(name);
  }

  override get size(): number {
    return this.#store.names().length;
  }

  override *entries(): MapIterator<[string, string]> {
    for (const name of this.#store.names()) yield [name, this.#store.text(name) ?? ""];
  }

  override *keys(): MapIterator<string> {
    yield* this.#store.names();
  }

  override *values(): MapIterator<string> {
    for (const [, value] of this.entries()) yield value;
  }

  override [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }
}
