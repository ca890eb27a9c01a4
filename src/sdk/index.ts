/**
 * The contract between the Envoy Policy Engine and its policies. Types only: importing this package costs nothing at run time.
 *
 * A policy is a folder with a manifest (`policy.yaml`) and a module whose default export satisfies {@link PolicyDefinition}.
 * The engine binds the definition to parameters once ({@link PolicyDefinition.create}) and calls the instance's handlers for
 * every exchange of the routes whose chain holds the step.
 *
 * @packageDocumentation
 */

/**
 * What a policy module exports by default.
 *
 * @typeParam Parameters - the parameters, as generated from the manifest's schema into `parameters.ts`
 * @typeParam State - what one step keeps from its request handler to its response handler (see {@link Exchange.state})
 */
export interface PolicyDefinition<Parameters = Record<string, never>, State = undefined> {
  /**
   * Binds the definition to parameters that are validated against the manifest's schema, completed with its defaults and deeply frozen.
   *
   * Called once per chain, step name, exact policy version and hash of the resolved parameters: generations of the configuration that
   * do not change these share the instance. May be async, has 10 seconds, and must not depend on the network: work that can fail for a
   * while (fetching a key set) belongs in the background, see {@link PolicyContext.every} and {@link PolicyContext.health}.
   *
   * When it throws, rejects or is late, the whole configuration is refused with this step's position, and the running one stays.
   */
  create(parameters: Parameters, context: PolicyContext): PolicyInstance<State> | Promise<PolicyInstance<State>>;
}

/**
 * A definition bound to parameters. Presence is participation: a step without a `response` handler asks nothing of Envoy for the
 * response, and nothing else declares phases.
 */
export interface PolicyInstance<State = undefined> {
  /** Runs on the way to the upstream, in the order in which the steps are written. */
  readonly request?: RequestHandler<State>;
  /**
   * Runs on the way back, from the last step to the first, also on replies: a step's response handler runs if its request handler
   * returned without a reply or failure, or if it has only this one, stands before the step that replied, and its `when` held.
   */
  readonly response?: ResponseHandler<State>;
  /**
   * Releases what `create` acquired. Called once, when no generation of the configuration holds the instance any more and none of its
   * exchanges can run; must be idempotent. Timers of `context.every` and files of `context.file` are released by the engine itself.
   */
  close?(): void | Promise<void>;
}

/**
 * A request handler: a function that needs headers only, or an object that says how it wants the body.
 */
export type RequestHandler<State = undefined> =
  | ((exchange: RequestExchange<State>) => Outcome)
  | BufferedHandler<BufferedRequestExchange<State>>
  | StreamedHandler<RequestExchange<State>>;

/** A response handler, see {@link RequestHandler}. */
export type ResponseHandler<State = undefined> =
  | ((exchange: ResponseExchange<State>) => Outcome)
  | BufferedHandler<BufferedResponseExchange<State>>
  | StreamedHandler<ResponseExchange<State>>;

/** Waits for the whole body, and so do the steps after it. Runs exactly once; without any body it runs with `body.bytes` undefined. */
export interface BufferedHandler<ExchangeWithBody> {
  readonly body: "buffered";
  handle(exchange: ExchangeWithBody): Outcome;
}

/**
 * Sees the body chunk by chunk as it passes; the engine holds none of it back. `start` runs where the step stands in the chain, before any of the
 * body: there headers can be changed and a reply can be given. Afterwards the exchange can only be read, and `abort` is left.
 */
export interface StreamedHandler<ExchangeWithHeaders> {
  readonly body: "streamed";
  /**
   * Returns what the body is to pass through; nothing: it passes as it is; or a reply. A transform means that the bytes change: content-length
   * and headers that say something about the old bytes (ETag, digests, Accept-Ranges) are dropped, and on a response with 206, which is a part of
   * a whole, the step fails. `onError: skip` covers a failure of `start` only: a body cannot be taken back.
   */
  start(exchange: ExchangeWithHeaders, stream: StreamControl): Reply | BodyTransform | undefined;
}

/** What a streamed handler may still do once the body flows. */
export interface StreamControl {
  /**
   * Ends the exchange so that nobody takes the part already sent for the whole: like a throw, but at any time until `end` has returned. The reason
   * goes to the log, never to the client.
   */
  abort(reason: string): void;
}

/**
 * A transform of one body. Transforms of several steps follow one another in the order in which their handlers ran. Returned bytes go on, in order;
 * `undefined` holds them back: `end` is the last chance to give them. A promise is awaited up to the step's `timeout`, and what comes after it waits.
 *
 * None of the two is called where there is no body (a message that ends with its headers, a response to HEAD, with 204 or with 304). Where a step
 * of the chain waits for the whole body, and on a reply, the body comes as one chunk. A throw, a rejection, a late promise or anything but bytes
 * ends the exchange. When client or upstream leave midway, `exchange.signal` fires and `end` is never called.
 */
export interface BodyTransform {
  /** @param bytes never empty; they are the transform's own, to keep or to change. What is returned must not be changed afterwards. */
  chunk(bytes: Uint8Array): BodyPart;
  /**
   * Called once, behind the last chunk, also when there was none. Where trailers follow the headers without any data, bytes fail the step: there is
   * no body to give them to.
   *
   * @param trailers those behind the body, which can be changed until `end` returns; undefined when there are none, or the body came whole
   */
  end(trailers?: Headers): BodyPart;
}

/** What a transform gives on: bytes, or nothing (yet). */
export type BodyPart = Uint8Array | undefined | Promise<Uint8Array | undefined>;

/**
 * What a handler returns: nothing to go on, or a reply in place of the upstream's answer. A promise is awaited up to the step's
 * `timeout` (default 1 s) and what is left of the message budget. A synchronous handler costs no promise and cannot be timed out.
 *
 * When a handler throws, rejects, is late or returns anything else, the step has failed: the exchange is denied with 500 (504 when late),
 * or, with `onError: skip`, everything the step did is rolled back and the chain goes on without it.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler without a return statement has the type void
export type Outcome = Reply | undefined | void | Promise<Reply | undefined | void>;

/**
 * An answer given in place of the upstream's. It need not be a refusal: a cached 200 is a reply too. A policy that replies whatever comes says
 * `replies: always` in its manifest, so that steps behind it are found.
 */
export interface Reply {
  /** HTTP status, an integer from 200 to 599. */
  readonly status: number;
  /** Response headers. Names in any case; several values become several lines. Content-length is the engine's. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /**
   * The body; none with the status 204 or 304. Without a content-type header Envoy calls it text/plain. One that is larger than the settings'
   * `bodyBytesMax` fails the step. A gRPC client gets it as the header `grpc-message`: the first 1 KiB of it, cut between two characters.
   */
  readonly body?: string | Uint8Array;
  /** Machine-readable, kebab-case: appears in logs, metrics and explanations. At most 64 characters of `a-z 0-9 -`. */
  readonly code?: string;
  /** For people who read the log; never sent to the client. */
  readonly reason?: string;
  /** gRPC status for a gRPC client, 1 to 16. Default: mapped from `status` (401 to 16, 403 to 7, 429 and 503 to 14 ...). */
  readonly grpcStatus?: number;
}

/**
 * One HTTP request and its response, as one step sees it. The same object in both handlers of a step. It can be changed only while the
 * step's handler runs, its promise included: a change by code that the handler did not await throws. It is revoked when the step has failed
 * or timed out, or the exchange is over: every later access throws.
 */
export interface Exchange<State = undefined> {
  /** The engine's id of this exchange; every reply carries it as `x-decision-id`. */
  readonly id: string;
  readonly route: Route;
  readonly source: Source;
  /** Typed values that steps share, see {@link MetadataKey}. */
  readonly metadata: Metadata;
  /** What this step keeps from request to response. Undefined until the step sets it. */
  state: State | undefined;
  /** Aborted at the step's deadline and when the client is gone. Made when first asked for. */
  readonly signal: AbortSignal;
}

/** What a request handler sees. */
export interface RequestExchange<State = undefined> extends Exchange<State> {
  readonly request: Request;
}

/** What a buffered request handler sees. */
export interface BufferedRequestExchange<State = undefined> extends RequestExchange<State> {
  readonly body: Body;
}

/** What a response handler sees. There is no way to express a change of the request any more: it does not type-check. */
export interface ResponseExchange<State = undefined> extends Exchange<State> {
  readonly request: ReadonlyRequest;
  readonly response: Response;
}

/** What a buffered response handler sees. */
export interface BufferedResponseExchange<State = undefined> extends ResponseExchange<State> {
  readonly body: Body;
}

/** The request as it stands: what an earlier step changed is what this step sees and what Envoy gets. */
export interface Request {
  readonly headers: Headers;
  /** Path without the query, starting with `/`. Setting it needs `mutates: [path]` in the manifest. */
  path: string;
  /** Query without the question mark, `""` when there is none. Setting it needs `mutates: [query]`. */
  query: string;
  /** Setting it needs `mutates: [method]`. Neither from nor to `HEAD` and `CONNECT`: the client waits for the answer to its own. */
  method: string;
  /** Host with port as the client sent it (`:authority`). Setting it needs `mutates: [host]`. */
  host: string;
  readonly scheme: string;
  /** When the engine saw the request, in milliseconds since the epoch. */
  readonly time: number;
}

/** The request as a response handler sees it. */
export interface ReadonlyRequest {
  readonly headers: ReadonlyHeaders;
  readonly path: string;
  readonly query: string;
  readonly method: string;
  readonly host: string;
  readonly scheme: string;
  readonly time: number;
}

/** The response as it stands. */
export interface Response {
  readonly headers: Headers;
  /** HTTP status. Setting it takes an integer from 200 to 599; 204 and 304, which have no body, only where there is none. */
  status: number;
  /** `upstream`, or `reply` when a step or the engine itself answered in place of it. */
  readonly origin: "upstream" | "reply";
}

/** Header names in any case; a name can have several values. The text of a value is UTF-8 where it is valid, else latin1. */
export interface ReadonlyHeaders {
  /** The value; several values are joined with `, ` (cookie: `; `). Undefined when the header is absent. */
  get(name: string): string | undefined;
  /** Every value in the order received; empty when the header is absent. */
  getAll(name: string): readonly string[];
  /** The bytes of every value as received. */
  getBytes(name: string): readonly Uint8Array[];
  has(name: string): boolean;
  /** Lower-case names, each once, without pseudo-headers. */
  names(): readonly string[];
}

/**
 * Headers that can be changed. Throws a `TypeError` on a name that is no HTTP token, on a value with control characters other than the tab (RFC 9110
 * 5.5), and on names a policy may not change: content-length, hop-by-hop names, `host` (use `request.host`), pseudo-headers, `x-envoy*` and
 * `x-decision-id`. A manifest can say under `headers` which ones its policy sets or removes: then those that a client could forge, and those that
 * two steps set, are found at load.
 */
export interface Headers extends ReadonlyHeaders {
  /** Replaces every value. An empty list is `delete`. Text is written as UTF-8; blanks and tabs at the ends are left out, as HTTP has it. */
  set(name: string, value: string | Uint8Array | readonly (string | Uint8Array)[]): void;
  /** Adds a value after the existing ones; as for `set`. */
  append(name: string, value: string | Uint8Array): void;
  delete(name: string): void;
}

/**
 * A whole body, gzip undone; every step sees what the one before has made of it. What is set gets the content coding of the message again, unless a
 * step has changed `content-encoding`: then the bytes go on as they stand.
 */
export interface Body {
  /** The bytes, undefined when there is no body. */
  readonly bytes: Uint8Array | undefined;
  /** The text as UTF-8, a byte order mark included; `""` when there is no body. Throws a `TypeError` on bytes that are no UTF-8. */
  text(): string;
  /** The parsed JSON, parsed once, frozen and shared by all steps. A byte order mark is ignored. Throws when it is not JSON. */
  json(): unknown;
  /**
   * Replaces the body; `undefined` clears it. Content-length follows, and headers that said something about the old bytes (ETag, digests,
   * Accept-Ranges) are dropped. Throws a `TypeError` where a body cannot go: a message that came without one, a response to HEAD, with 204 or
   * with 304; and on a response with 206, which is a part of a whole.
   */
  set(body: string | Uint8Array | undefined): void;
}

/** Where an exchange belongs. */
export interface Route {
  /** Envoy's route name, `""` for an unnamed route. */
  readonly name: string;
  /** The chain that the engine runs. */
  readonly chain: string;
}

/** The downstream peer. Undefined where Envoy was not asked for the attribute. */
export interface Source {
  readonly address: string | undefined;
  readonly port: number | undefined;
}

/**
 * Names a shared value and carries its type: `const auth: MetadataKey<Auth> = { name: "auth" }`. The manifest declares what a policy
 * reads and writes (`metadata`), and the engine checks at load that somebody earlier in the chain writes what is read.
 */
export interface MetadataKey<Value> {
  readonly name: string;
  /** Never present at run time; ties the key to its type. */
  readonly _value?: Value;
}

/** Values that the steps of one exchange share. */
export interface Metadata {
  /** Undefined when no step has written it in this exchange. Throws when the manifest does not declare the read. */
  get<Value>(key: MetadataKey<Value>): Value | undefined;
  /** Throws when the manifest does not declare the write. The value cannot be changed afterwards: its lists and objects are frozen. */
  set<Value>(key: MetadataKey<Value>, value: NoInfer<Value>): void;
}

/** What every authentication policy writes under the metadata key `auth`. */
export interface Auth {
  /** How the caller was recognised: `api-key`, `jwt` ... */
  readonly method: string;
  /** Who the caller is. */
  readonly subject: string;
  readonly issuer?: string;
  readonly scopes?: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A compiled CEL expression: what a parameter with `x-expression: bool | string` becomes. */
export interface Expression<Value extends boolean | string = boolean | string> {
  /** The text as configured. */
  readonly text: string;
  /** Throws when it fails at run time, for example on a value that is missing; the step then fails. */
  evaluate(exchange: Exchange<never> | Exchange<unknown>): Value;
}

/** A compiled RE2 pattern: what a parameter with `x-regex: true` becomes. Unanchored; linear in the length of the subject. */
export interface Pattern {
  /** The pattern as configured. */
  readonly source: string;
  test(subject: string | Uint8Array): boolean;
  /**
   * The leftmost match that begins at the byte `from` or behind it; what stands before `from` still counts for `^` and `\b`. Undefined when there
   * is none. The subject is to be UTF-8 and `from` the first byte of a character, at most `subject.length`.
   */
  find(subject: Uint8Array, from: number): Match | undefined;
}

/** Where a pattern has matched: byte offsets, the end excluded. Both are equal for a match of the empty text. */
export interface Match {
  readonly start: number;
  readonly end: number;
}

/**
 * What a policy may not take from the globals. Using `fetch`, `Date.now`, `Math.random` or timers directly is a lint finding: tests freeze
 * the clock and mock callouts through this. Intervals, files, counters and probes are for `create`: an instance has at most 64 of them.
 */
export interface PolicyContext {
  /** `policy@version` of this step. */
  readonly policy: string;
  readonly chain: string;
  readonly step: string;
  /**
   * An outgoing call over http or https, answered when the whole body is there. `key` groups calls that share a fate (retries, circuit
   * breaker): usually a constant such as `"jwks"`. Times out after 5 s unless `init.signal` says otherwise, and ends when the instance is
   * closed; redirects are refused, and so is a body of more than `init.bodyBytesMax`. Rejects like the global fetch. Errors name the origin,
   * never path or query.
   */
  fetch(key: string, url: string, init?: FetchInit): Promise<globalThis.Response>;
  /**
   * Reads a file and watches it. Relative paths start at the engine's working directory. Calls `onChange` with the new content after each
   * change. Rejects when the file cannot be read now; later failures are logged and keep the last content.
   */
  file(path: string, onChange: (content: Uint8Array) => void): Promise<Uint8Array>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** From 0 to less than 1. Not for secrets. */
  random(): number;
  /** Calls `task` every `milliseconds` (10 to 2147483647) until the instance is closed; never two at once. A task that throws is logged. */
  every(milliseconds: number, task: () => void | Promise<void>): void;
  /**
   * Calls `task` once after at least `milliseconds` (0 to 2 147 483 647), unless the instance is closed before or the returned function is
   * called. A task that throws is logged.
   */
  after(milliseconds: number, task: () => void | Promise<void>): () => void;
  readonly log: Log;
  /** A counter in `/metrics`: `policy_engine_policy_<name>_total` with this step's labels. `name` is `[a-z][a-z0-9_]*`; at most 16 a step. */
  counter(name: string, help: string): Counter;
  /** Shown in `/readyz` and metrics. It never makes the whole engine not ready. */
  health(name: string, probe: () => Health): void;
  /**
   * A value that instances share: steps, chains and, across a change of the configuration, the instances before and after it. `make` is called
   * when nobody holds a value under this key, and what it starts with the context it gets ends after the last instance that holds it. So the key
   * must say everything that the value depends on. What `make` throws is thrown. Its log lines carry the names of the step that came first.
   */
  shared<Value>(key: SharedKey<Value>, make: (context: SharedContext) => Value): Value;
}

/** Names a value that instances share and carries its type. Begin the name with the package's own: all policies share these names. */
export interface SharedKey<Value> {
  readonly name: string;
  /** Never present at run time; ties the key to its type. */
  readonly _value?: Value;
}

/** What a value that instances share may use, see {@link PolicyContext.shared}. */
export type SharedContext = Pick<PolicyContext, "fetch" | "file" | "now" | "random" | "every" | "after" | "log">;

/** What {@link PolicyContext.fetch} understands of the global fetch's options. */
export interface FetchInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** Certificates as PEM that vouch for the server, in place of those that Node trusts: a private CA. */
  readonly ca?: string;
  /** The largest body that is taken, in bytes; a larger one rejects. Default 1 MiB. */
  readonly bodyBytesMax?: number;
}

/** Structured logging under this step's name. Never pass secrets or whole headers. */
export interface Log {
  debug(facts: Readonly<Record<string, unknown>>, message: string): void;
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** A number that only grows. */
export interface Counter {
  add(count?: number): void;
}

/** The state of something a step depends on. */
export interface Health {
  readonly ready: boolean;
  /** One line for people; no secrets. */
  readonly detail: string;
  /** How old what the step works with is, in seconds; shown as a metric. */
  readonly ageSeconds?: number;
}
