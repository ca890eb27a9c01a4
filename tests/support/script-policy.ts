/** One policy that does what its parameters say: the steps of the conversations are written with it. */
import type {
  Body,
  BufferedRequestExchange,
  Outcome,
  PolicyDefinition,
  RequestExchange,
  Response,
  ResponseExchange,
  Headers as SdkHeaders,
  StreamControl,
} from "@envoy-policy-engine/sdk";
import type { PolicyRegistry, PolicyRelease } from "../../src/config/types.ts";
import { type TransformName, transforms } from "./script-transforms.ts";

interface Action {
  readonly do: string;
  readonly name?: string;
  readonly value?: string;
  readonly milliseconds?: number;
  readonly bytes?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly code?: string;
  readonly body?: string;
}

interface Parameters {
  readonly request?: readonly Action[];
  readonly response?: readonly Action[];
  /** Which handlers wait for the body. */
  readonly buffered?: readonly ("request" | "response")[];
  /** Which handlers let the body pass through something, and through what; the actions are then those of `start`. */
  readonly streamed?: { readonly request?: TransformName; readonly response?: TransformName };
}

interface State {
  noted: string;
}

const definition: PolicyDefinition<Parameters, State> = {
  create({ request, response, buffered = [], streamed = {} }) {
    const onRequest = (exchange: RequestExchange<State>): Outcome => perform(request ?? [], exchange, exchange.request.headers);
    const onResponse = (exchange: ResponseExchange<State>): Outcome =>
      perform(response ?? [], exchange, exchange.response.headers, exchange.response);
    if (streamed.request !== undefined || streamed.response !== undefined) {
      return {
        ...(streamed.request === undefined ? {} : { request: streamedHandler(streamed.request, onRequest) }),
        ...(streamed.response === undefined ? {} : { response: streamedHandler(streamed.response, onResponse) }),
      };
    }
    return {
      ...(request === undefined ? {} : { request: buffered.includes("request") ? { body: "buffered", handle: onRequest } : onRequest }),
      ...(response === undefined
        ? {}
        : { response: buffered.includes("response") ? { body: "buffered", handle: onResponse } : onResponse }),
    };
  },
};

function streamedHandler<Seen>(name: TransformName, onStart: (exchange: Seen) => Outcome) {
  return {
    body: "streamed" as const,
    start: (exchange: Seen, stream: StreamControl) => {
      const reply = onStart(exchange);
      if (reply instanceof Promise) throw new Error("`start` cannot wait");
      return reply ?? transforms[name](stream);
    },
  };
}

/** The body of a handler that waits for it. */
function bodyOf(exchange: RequestExchange<State> | ResponseExchange<State>): Body {
  return (exchange as BufferedRequestExchange<State>).body;
}

/** Synchronous until an action waits. */
function perform(
  actions: readonly Action[],
  exchange: RequestExchange<State> | ResponseExchange<State>,
  headers: SdkHeaders,
  response?: Response,
): Outcome {
  for (const [index, action] of actions.entries()) {
    const { name = "", value = "" } = action;
    switch (action.do) {
      case "set":
        headers.set(name, value);
        break;
      case "append":
        headers.append(name, value);
        break;
      case "delete":
        headers.delete(name);
        break;
      case "set-bytes":
        headers.set(name, Uint8Array.from(Buffer.from(value, "hex")));
        break;
      case "set-many":
        for (let count = 0; count < 101; count++) headers.set(`${name}${count}`, value);
        break;
      case "fill-header":
        headers.set(name, "x".repeat(action.bytes ?? 0));
        break;
      case "path":
        (exchange as RequestExchange<State>).request.path = value;
        break;
      case "query":
        (exchange as RequestExchange<State>).request.query = value;
        break;
      case "method":
        (exchange as RequestExchange<State>).request.method = value;
        break;
      case "host":
        (exchange as RequestExchange<State>).request.host = value;
        break;
      case "status":
        if (response !== undefined) response.status = action.status ?? 0;
        break;
      case "remember":
        exchange.state = { noted: headers.get(name) ?? "" };
        break;
      case "recall":
        headers.set(name, exchange.state?.noted ?? "nothing");
        break;
      case "write":
        exchange.metadata.set({ name }, value);
        break;
      case "read":
        headers.set("x-read", String(exchange.metadata.get({ name }) ?? "nothing"));
        break;
      case "origin":
        headers.set(name, response?.origin ?? "none");
        break;
      case "body":
        bodyOf(exchange).set(value);
        break;
      case "fill-body":
        bodyOf(exchange).set("x".repeat(action.bytes ?? 0));
        break;
      case "clear-body":
        bodyOf(exchange).set(undefined);
        break;
      case "upper-body":
        bodyOf(exchange).set(bodyOf(exchange).text().toUpperCase());
        break;
      case "body-to-header":
        headers.set(name, bodyOf(exchange).bytes === undefined ? "no body" : bodyOf(exchange).text());
        break;
      case "json-to-header":
        headers.set(name, JSON.stringify(bodyOf(exchange).json()));
        break;
      case "throw":
        throw new Error(value);
      case "reject":
        return Promise.reject(new Error(value));
      case "hang":
        return new Promise(() => {});
      case "nonsense":
        return 42 as never;
      case "reply":
        return {
          status: action.status ?? 0,
          ...(action.headers === undefined ? {} : { headers: action.headers }),
          ...(action.code === undefined ? {} : { code: action.code }),
          ...(action.body === undefined ? {} : { body: action.body }),
        };
      case "wait":
        return new Promise((resolve, reject) => {
          setTimeout(() => {
            try {
              resolve(perform(actions.slice(index + 1), exchange, headers, response));
            } catch (error) {
              reject(error);
            }
          }, action.milliseconds);
        });
      default:
        throw new Error(`no such action: ${action.do}`);
    }
  }
  return undefined;
}

const actions = {
  type: "array",
  description: "What to do, in order.",
  items: {
    type: "object",
    additionalProperties: false,
    required: ["do"],
    properties: {
      do: { type: "string", description: "The action." },
      name: { type: "string", description: "A header or metadata name." },
      value: { type: "string", description: "A value." },
      bytes: { type: "integer", description: "How many." },
      milliseconds: { type: "integer", description: "How long to wait." },
      status: { type: "integer", description: "A status." },
      code: { type: "string", description: "A reply's code." },
      body: { type: "string", description: "A reply's body." },
      headers: {
        type: "object",
        description: "A reply's headers.",
        propertyNames: { minLength: 1 },
        additionalProperties: { type: "string", description: "A value." },
      },
    },
  },
};

const transform = { type: "string", enum: Object.keys(transforms), description: "A transform." };

function release(name: string, mutates: PolicyRelease["manifest"]["mutates"]): PolicyRelease {
  return {
    manifest: {
      name,
      version: "1.0.0",
      summary: "Does what its parameters say.",
      sdk: 1,
      protects: false,
      metadata: { reads: [], writes: { note: { type: "string", description: "A note." } } },
      mutates,
      headers: { request: [], response: [] },
      replies: "sometimes",
      parameters: {
        type: "object",
        additionalProperties: false,
        properties: {
          request: actions,
          response: actions,
          streamed: {
            type: "object",
            additionalProperties: false,
            description: "Through what the bodies pass.",
            properties: { request: transform, response: transform },
          },
          buffered: {
            type: "array",
            description: "Which handlers wait for the body.",
            items: { type: "string", enum: ["request", "response"], description: "A direction." },
          },
        },
      },
    },
    definition,
    source: "tests",
    hash: "",
  };
}

/** `script` announces no routing mutations, `rewrite` all of them. */
export const scriptPolicies: PolicyRegistry = new Map([
  ["script@1.0.0", release("script", [])],
  ["rewrite@1.0.0", release("rewrite", ["path", "query", "method", "host"])],
]);
