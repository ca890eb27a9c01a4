/**
 * What the SDK promises to policy authors, as code that the compiler reads and nobody runs: a line under `@ts-expect-error` must not compile,
 * every other line must. `sdk-promises.test.ts` runs the compiler; `npm run check` does too.
 */
import type {
  Auth,
  Expression,
  MetadataKey,
  Outcome,
  Pattern,
  PolicyContext,
  PolicyDefinition,
  PolicyInstance,
  Reply,
  RequestExchange,
  ResponseExchange,
  SharedKey,
} from "@envoy-policy-engine/sdk";

interface Parameters {
  readonly tenant: string;
  readonly rules: readonly { readonly when: Expression<boolean>; readonly path: Pattern; readonly value: Expression<string> }[];
}

const sharedKey: SharedKey<{ readonly since: number }> = { name: "promises: since" };

export const wholePolicy = {
  async create(parameters, context) {
    const seen = context.counter("seen_total", "requests seen");
    context.every(1_000, async () => {
      await context.fetch("keys", "https://login.example.com/keys", { method: "GET" });
    });
    const file = await context.file("/etc/keys", (content) => context.log.info({ bytes: content.byteLength }, "changed"));
    context.health("keys", () => ({ ready: file.byteLength > 0, detail: "keys are there", ageSeconds: 1 }));
    const cancel = context.after(1_000, () => {});
    cancel();
    const shared = context.shared(sharedKey, (inner) => ({ since: inner.now() }));
    context.log.debug({ since: shared.since }, "shared");
    return {
      request(exchange) {
        exchange.state = { started: context.now() + context.random() };
        exchange.request.headers.set("x-tenant", parameters.tenant);
        if (exchange.request.headers.has("x-debug")) return { status: 403, code: "no-debug", body: "no debug here" };
        seen.add();
      },
      response(exchange) {
        exchange.response.headers.set("x-took", String(context.now() - (exchange.state?.started ?? 0)));
        exchange.response.status = 200;
      },
      close() {},
    };
  },
} satisfies PolicyDefinition<Parameters, { readonly started: number }>;

export const parametersAreReadonly = {
  create(parameters) {
    // @ts-expect-error parameters are frozen
    parameters.tenant = "other";
    // @ts-expect-error deeply
    parameters.rules.push({});
    return {};
  },
} satisfies PolicyDefinition<Parameters>;

export function sharedValuesHaveOneType(context: PolicyContext): void {
  // @ts-expect-error the key says what the value is
  context.shared(sharedKey, () => ({ until: 1 }));
  // @ts-expect-error what instances share belongs to none of them
  context.shared(sharedKey, (inner) => ({ since: inner.counter("a", "b") }));
}

// Presence is participation: an instance may have no handler at all, and nothing else declares phases.
export const noHandlers: PolicyInstance = {};

// @ts-expect-error a phase that does not exist
export const unknownHandler: PolicyInstance = { trailers() {} };

// @ts-expect-error a definition must have `create`
export const noCreate: PolicyDefinition = {};

export function responseHandlersCannotChangeTheRequest(exchange: ResponseExchange): void {
  exchange.request.headers.get("x-tenant");
  // @ts-expect-error the request has gone to the upstream
  exchange.request.path = "/other";
  // @ts-expect-error so has its query
  exchange.request.query = "";
  // @ts-expect-error and its method
  exchange.request.method = "GET";
  // @ts-expect-error and its host
  exchange.request.host = "example.com";
  // @ts-expect-error and its headers
  exchange.request.headers.set("x-tenant", "acme");
  // @ts-expect-error
  exchange.request.headers.append("x-tenant", "acme");
  // @ts-expect-error
  exchange.request.headers.delete("x-tenant");
  // @ts-expect-error where the response came from is a fact
  exchange.response.origin = "upstream";
}

export function requestHandlersHaveNoResponse(exchange: RequestExchange): void {
  exchange.request.path = "/other";
  exchange.request.headers.set("x-tenant", ["a", new Uint8Array()]);
  // @ts-expect-error there is none yet
  exchange.response;
  // @ts-expect-error the scheme is what the client used
  exchange.request.scheme = "https";
  // @ts-expect-error the peer is a fact
  exchange.source.address = "127.0.0.1";
  // @ts-expect-error so is the route
  exchange.route.name = "other";
  // @ts-expect-error and the id
  exchange.id = "other";
}

// A body is there only for a handler that says how it wants it.
export const headersOnly: PolicyInstance = {
  request(exchange) {
    // @ts-expect-error a function gets headers only
    exchange.body;
  },
  response(exchange) {
    // @ts-expect-error
    exchange.body;
  },
};

export const buffered: PolicyInstance = {
  request: {
    body: "buffered",
    handle(exchange) {
      if (exchange.body.bytes === undefined) return { status: 400, code: "no-body" };
      const json: unknown = exchange.body.json();
      // @ts-expect-error what a client sent is unknown until somebody looks
      json.name;
      exchange.body.set(exchange.body.text().toUpperCase());
      return undefined;
    },
  },
  response: {
    body: "buffered",
    handle(exchange) {
      exchange.body.set(undefined);
      // @ts-expect-error the request is read-only here too
      exchange.request.path = "/other";
    },
  },
};

export const streamed: PolicyInstance = {
  response: {
    body: "streamed",
    start(exchange, stream) {
      if (exchange.response.status !== 200) return undefined;
      // @ts-expect-error chunks come to the transform, never as a whole
      exchange.body;
      return {
        chunk(bytes) {
          if (bytes.byteLength > 1_000_000) stream.abort("too long");
          return bytes;
        },
        end: () => undefined,
      };
    },
  },
};

// @ts-expect-error streaming cannot wait: `start` gives the transform at once
export const asyncStart: PolicyInstance = { request: { body: "streamed", start: async () => undefined } };

// @ts-expect-error there are two ways to have a body
export const otherBody: PolicyInstance = { request: { body: "partial", handle() {} } };

// A handler goes on or replies, at once or later; anything else is no outcome.
export const outcomes: readonly Outcome[] = [undefined, { status: 204 }, Promise.resolve(undefined), Promise.resolve({ status: 503 })];
// @ts-expect-error a reply is an object with a status
export const numberOutcome: Outcome = 403;
// @ts-expect-error
export const booleanOutcome: Outcome = true;
// @ts-expect-error
export const emptyOutcome: Outcome = {};
export const reply: Reply = {
  status: 401,
  headers: { "www-authenticate": ["Bearer", 'ApiKey realm="api"'] },
  body: new Uint8Array(),
  code: "no-key",
  reason: "no key in x-api-key",
  grpcStatus: 16,
};
// @ts-expect-error a misspelt field would be a silent 200
export const misspeltReply: Reply = { status: 401, header: {} };
// @ts-expect-error a header value is text
export const numberHeader: Reply = { status: 401, headers: { "retry-after": 5 } };

const auth: MetadataKey<Auth> = { name: "auth" };
const tier: MetadataKey<"gold" | "silver"> = { name: "tier" };

export function metadataIsTypedByItsKey(exchange: RequestExchange): void {
  const subject: string | undefined = exchange.metadata.get(auth)?.subject;
  exchange.metadata.set(auth, { method: "api-key", subject: subject ?? "nobody", scopes: ["orders.read"] });
  exchange.metadata.set(tier, "gold");
  // @ts-expect-error nobody may have written it
  exchange.metadata.get(auth).subject;
  // @ts-expect-error every authentication policy writes method and subject
  exchange.metadata.set(auth, { method: "api-key" });
  // @ts-expect-error the key says what its value is
  exchange.metadata.set(tier, "bronze");
  // @ts-expect-error a name alone has no type
  exchange.metadata.get("auth");
}

export function stateIsTypedByTheDefinition(exchange: RequestExchange<{ readonly started: number }>): number {
  // @ts-expect-error undefined until the step sets it
  exchange.state.started;
  // @ts-expect-error
  exchange.state = { started: "now" };
  return exchange.state?.started ?? 0;
}

export function withoutStateThereIsNothingToSet(exchange: RequestExchange): void {
  // @ts-expect-error
  exchange.state = {};
}

export function expressionsAndPatternsAreCompiled(exchange: RequestExchange, parameters: Parameters): void {
  for (const { when, path, value } of parameters.rules) {
    const holds: boolean = when.evaluate(exchange);
    const text: string = value.evaluate(exchange);
    const matches: boolean = path.test(exchange.request.path) && path.test(new Uint8Array());
    const match: { readonly start: number; readonly end: number } | undefined = path.find(new Uint8Array(), 0);
    // @ts-expect-error a condition gives true or false
    const wrong: string = when.evaluate(exchange);
    exchange.metadata.set({ name: "all" }, [holds, text, matches, match, wrong]);
  }
}

// @ts-expect-error the SDK has nothing to import at run time
export type { createPolicy } from "@envoy-policy-engine/sdk";
