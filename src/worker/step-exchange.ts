/**
 * An exchange as one step sees it: the views plus what this step may do, and when. It can be changed only while the step's handler runs, so
 * that code that still runs cannot edit under the next step, and is revoked when the step has failed or the exchange is over.
 */
import { Buffer } from "node:buffer";
import type {
  Body,
  BufferedRequestExchange,
  BufferedResponseExchange,
  Metadata,
  MetadataKey,
  Request,
  Response,
  Headers as SdkHeaders,
} from "@envoy-policy-engine/sdk";
import type { RoutingMutation } from "../config/types.ts";
import { expressionVariables } from "../expressions/expression.ts";
import type { StepPhase } from "../observe/step-counters.ts";
import { type BodyStore, utf8 } from "./body-store.ts";
import { endsWithItsHeaders, type RequestView, type ResponseView } from "./message-view.ts";
import type { MetadataStore } from "./metadata-store.ts";
import type { ReceivedRequest } from "./received.ts";
import { Gate } from "./step-gate.ts";
import { StepHeaders } from "./step-headers.ts";
import type { ExchangeVariables } from "./variables.ts";

/** What a step's manifest announces. */
export interface StepRights {
  readonly mutates: ReadonlySet<RoutingMutation>;
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
}

/** What all steps of an exchange look at. */
export interface SharedViews {
  readonly received: ReceivedRequest;
  readonly chain: string;
  readonly request: RequestView;
  readonly metadata: MetadataStore;
  readonly variables: ExchangeVariables;
  readonly response: ResponseView | undefined;
}

export class StepExchange implements BufferedRequestExchange<unknown>, BufferedResponseExchange<unknown> {
  readonly #shared: SharedViews;
  readonly #rights: StepRights;
  readonly #gate = new Gate();
  #state: unknown;
  #controller: AbortController | undefined;
  #aborted = false;
  #request: Request | undefined;
  #response: Response | undefined;
  #metadata: Metadata | undefined;

  constructor(shared: SharedViews, rights: StepRights) {
    this.#shared = shared;
    this.#rights = rights;
  }

  get id(): string {
    return this.#read().received.id;
  }

  get route(): { readonly name: string; readonly chain: string } {
    const { received, chain } = this.#read();
    return { name: received.route.name, chain };
  }

  get source(): ReceivedRequest["source"] {
    // A copy: every step and every condition looks at the same one.
    const { address, port } = this.#read().received.source;
    return { address, port };
  }

  get state(): unknown {
    this.#gate.read();
    return this.#state;
  }

  set state(state: unknown) {
    this.#gate.read();
    this.#state = state;
  }

  get signal(): AbortSignal {
    this.#gate.read();
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  get request(): Request {
    const { request } = this.#read();
    this.#request ??= new StepRequest(request, this.#rights, this.#gate);
    return this.#request;
  }

  get response(): Response {
    const { response: view } = this.#read();
    if (this.#response === undefined) {
      if (view === undefined) throw new TypeError("there is no response yet: use a response handler");
      this.#response = new StepResponse(view, this.#gate);
    }
    return this.#response;
  }

  get body(): Body {
    const shared = this.#read();
    const phase = this.#gate.phase ?? "request";
    const store = phase === "request" ? shared.request.body : shared.response?.body;
    if (store === undefined) throw new TypeError('the body is not there: only a handler that says `body: "buffered"` waits for it');
    return new StepBody(store, this.#gate, phase, shared);
  }

  get metadata(): Metadata {
    const { metadata } = this.#read();
    this.#metadata ??= new StepMetadata(metadata, this.#rights, this.#gate);
    return this.#metadata;
  }

  get [expressionVariables](): ExchangeVariables {
    return this.#read().variables;
  }

  /** A handler is about to run: what belongs to its phase can be changed. */
  begin(phase: StepPhase): void {
    this.#gate.phase = phase;
    // Another one than an earlier look may have found: a step further in has replied.
    this.#response = undefined;
  }

  /** The handler has come to its end: from here on the exchange can only be read. */
  settle(): void {
    this.#gate.phase = undefined;
  }

  /** The client is gone or the deadline has passed: fires the signal if anybody has asked for it. */
  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }

  revoke(): void {
    this.#gate.revoked = true;
  }

  #read(): SharedViews {
    this.#gate.read();
    return this.#shared;
  }
}

class StepRequest implements Request {
  readonly #view: RequestView;
  readonly #rights: StepRights;
  readonly #gate: Gate;
  readonly headers: SdkHeaders;

  constructor(view: RequestView, rights: StepRights, gate: Gate) {
    this.#view = view;
    this.#rights = rights;
    this.#gate = gate;
    this.headers = new StepHeaders(view.headers, gate, "request");
  }

  get path(): string {
    return this.#read().path;
  }

  set path(path: string) {
    this.#write("path").path = path;
  }

  get query(): string {
    return this.#read().query;
  }

  set query(query: string) {
    this.#write("query").query = query;
  }

  get method(): string {
    return this.#read().method;
  }

  set method(method: string) {
    this.#write("method").method = method;
  }

  get host(): string {
    return this.#read().host;
  }

  set host(host: string) {
    this.#write("host").host = host;
  }

  get scheme(): string {
    return this.#read().scheme;
  }

  get time(): number {
    return this.#read().time;
  }

  #read(): RequestView {
    this.#gate.read();
    return this.#view;
  }

  #write(mutation: RoutingMutation): RequestView {
    this.#gate.write("request");
    if (!this.#rights.mutates.has(mutation))
      throw new TypeError(`setting \`request.${mutation}\` needs \`mutates: [${mutation}]\` in policy.yaml`);
    return this.#view;
  }
}

class StepResponse implements Response {
  readonly #view: ResponseView;
  readonly #gate: Gate;
  readonly headers: SdkHeaders;

  constructor(view: ResponseView, gate: Gate) {
    this.#view = view;
    this.#gate = gate;
    this.headers = new StepHeaders(view.headers, gate, "response");
  }

  get origin(): "upstream" | "reply" {
    this.#gate.read();
    return this.#view.origin;
  }

  get status(): number {
    this.#gate.read();
    return this.#view.status;
  }

  set status(status: number) {
    this.#gate.write("response");
    this.#view.status = status;
  }
}

class StepBody implements Body {
  readonly #store: BodyStore;
  readonly #gate: Gate;
  readonly #phase: StepPhase;
  readonly #shared: SharedViews;

  constructor(store: BodyStore, gate: Gate, phase: StepPhase, shared: SharedViews) {
    this.#store = store;
    this.#gate = gate;
    this.#phase = phase;
    this.#shared = shared;
  }

  get bytes(): Uint8Array | undefined {
    this.#gate.read();
    // A copy: every step looks at the same one.
    return this.#store.bytes && new Uint8Array(this.#store.bytes);
  }

  text(): string {
    this.#gate.read();
    return utf8(this.#store.bytes);
  }

  json(): unknown {
    this.#gate.read();
    return this.#store.json();
  }

  set(body: string | Uint8Array | undefined): void {
    this.#gate.write(this.#phase);
    if (body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array)) throw new TypeError("a body is text or bytes");
    // RFC 9110 15.3.7: a part says which bytes of the whole it is.
    if (this.#phase === "response" && this.#shared.response?.status === 206) {
      throw new TypeError("a 206 response is a part of a whole: it cannot be transformed");
    }
    const bytes = typeof body === "string" ? Buffer.from(body, "utf8") : body && new Uint8Array(body);
    if (!this.#store.absent && !(this.#phase === "response" && endsWithItsHeaders(this.#shared.received, this.#shared.response)))
      return this.#store.change(bytes);
    if (bytes !== undefined && bytes.length > 0) throw new TypeError(`this ${this.#phase} has no body, so none can be given to it`);
  }
}

class StepMetadata implements Metadata {
  readonly #store: MetadataStore;
  readonly #rights: StepRights;
  readonly #gate: Gate;

  constructor(store: MetadataStore, rights: StepRights, gate: Gate) {
    this.#store = store;
    this.#rights = rights;
    this.#gate = gate;
  }

  get<Value>({ name }: MetadataKey<Value>): Value | undefined {
    this.#gate.read();
    if (!this.#rights.reads.has(name) && !this.#rights.writes.has(name)) {
      throw new TypeError(`reading metadata \`${name}\` needs \`metadata: { reads: [${name}] }\` in policy.yaml`);
    }
    // The key carries its type and the manifest's schema is what the writer promised; nothing checks it per exchange.
    return this.#store.get(name) as Value | undefined;
  }

  set<Value>({ name }: MetadataKey<Value>, value: Value): void {
    this.#gate.write();
    if (!this.#rights.writes.has(name)) {
      throw new TypeError(`writing metadata \`${name}\` needs it under \`metadata: { writes: ... }\` in policy.yaml`);
    }
    this.#store.set(name, value);
  }
}
