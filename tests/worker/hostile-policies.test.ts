/** Policies that do what they should not: by mistake, or as badly as code can. None of it may reach the wire, hang, or let a request pass. */
import type {
  Outcome,
  PolicyContext,
  PolicyInstance,
  ReadonlyRequest,
  Reply,
  Request,
  RequestExchange,
  Response,
  ResponseExchange,
} from "@envoy-policy-engine/sdk";
import { describe, expect, test } from "vitest";
import { startTestEngine, type TestExchange, type TestRequest, type TestResponse } from "../../src/testing/test-engine.ts";
import { chainOf, codePolicies, createdPolicies } from "../support/code-policy.ts";

type Handler = (exchange: RequestExchange<unknown>) => Outcome;

/** One exchange through a chain of these policies, `chain` naming them in order (default: all, as they are given). */
async function exchange(
  instances: Readonly<Record<string, PolicyInstance<unknown>>>,
  { chain = Object.keys(instances), config = chainOf(...chain), request = {}, response = {} }: Partial<Sent> = {},
): Promise<TestExchange> {
  const engine = await startTestEngine({ policies: codePolicies(instances), config });
  try {
    return await engine.exchange({ route: "route", ...request }, response);
  } finally {
    engine.close();
  }
}

interface Sent {
  readonly chain: readonly string[];
  readonly config: string;
  readonly request: Partial<TestRequest>;
  readonly response: TestResponse;
}

const request = (handler: Handler): PolicyInstance<unknown> => ({ request: handler });
const response = (handler: (exchange: ResponseExchange<unknown>) => Outcome): PolicyInstance<unknown> => ({ response: handler });
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

function thrownBy(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Values of types that the SDK does not allow: not every policy is compiled against it. */
const untyped = (value: unknown): never => value as never;

describe("a result that is neither nothing nor a reply fails the step, whatever it does while it is looked at", () => {
  const results: Readonly<Record<string, () => unknown>> = {
    null: () => null,
    false: () => false,
    "an empty object": () => ({}),
    "a list": () => [{ status: 403 }],
    "a function": () => () => ({ status: 403 }),
    "a status that is text": () => ({ status: "403" }),
    "a code that is a list": () => ({ status: 403, code: ["abc"] }),
    "a code that turns into another text": () => ({ status: 403, code: { toString: () => "abc" } }),
    "headers that are a Map, which would be lost": () => ({ status: 401, headers: new Map([["www-authenticate", "Basic"]]) }),
    "headers that are a list of pairs": () => ({ status: 401, headers: [["www-authenticate", "Basic"]] }),
    "headers of fetch": () => ({ status: 401, headers: new Headers({ "www-authenticate": "Basic" }) }),
    "a response of fetch": () => new globalThis.Response("body", { status: 403 }),
    "a header value that is a number": () => ({ status: 403, headers: { "x-a": 1 } }),
    "a header value that is null": () => ({ status: 403, headers: { "x-a": null } }),
    "a getter that throws": () => ({
      get status(): number {
        throw new Error("no status");
      },
    }),
    "a getter that throws nothing readable": () => ({
      get status(): number {
        throw Object.create(null);
      },
    }),
    "a proxy that throws on everything": () =>
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("get");
          },
          has: () => {
            throw new Error("has");
          },
          getPrototypeOf: () => {
            throw new Error("getPrototypeOf");
          },
        },
      ),
    "a `then` that cannot be read": () => ({
      // biome-ignore lint/suspicious/noThenProperty: the point of the test
      get then(): never {
        throw new Error("no then");
      },
    }),
    "a thenable that throws": () => ({
      // biome-ignore lint/suspicious/noThenProperty: the point of the test
      then: () => {
        throw new Error("thrown in then");
      },
    }),
    "a promise that rejects with nothing readable": () => Promise.reject(Object.create(null)),
    "a promise whose own `then` throws and which rejects": () =>
      Object.assign(Promise.reject(new Error("rejected")), {
        // biome-ignore lint/suspicious/noThenProperty: the point of the test
        then: () => {
          throw new Error("thrown in then");
        },
      }),
    "a reason that has no text": () => ({ status: 403, reason: Object.create(null) }),
    "204 with a body": () => ({ status: 204, body: "smuggled" }),
    "304 with a body": () => ({ status: 304, body: "smuggled" }),
  };

  test.for(Object.entries(results))("%s", async ([, result]) => {
    const bad = request(() => untyped(result()));
    const denied = await exchange({ bad });
    expect(denied).toMatchObject({ upstream: undefined, client: { status: 500 }, reply: "policy-failed" });
    expect(denied.failures).toMatchObject([{ code: "policy-failed", handled: "deny" }]);
    const skipped = await exchange({ bad }, { chain: ["bad?"] });
    expect(skipped).toMatchObject({ upstream: { path: "/" }, client: { status: 200 }, reply: undefined });
    expect(skipped.failures).toMatchObject([{ code: "policy-failed", handled: "skip" }]);
  });
});

describe("what is given is read once: what it says later is not believed", () => {
  test("a status that changes while it is looked at", async () => {
    let reads = 0;
    const changing = {
      get status(): number {
        reads += 1;
        return reads === 1 ? 403 : 0;
      },
    };
    expect((await exchange({ a: request(() => changing) })).client.status).toBe(403);
  });

  test("a thenable that answers twice, at once and later", async () => {
    const twice = {
      // biome-ignore lint/suspicious/noThenProperty: the point of the test
      then(resolve: (value: Reply | undefined) => void, reject: (error: Error) => void): void {
        resolve({ status: 403 });
        resolve(undefined);
        reject(new Error("rejected as well"));
        setTimeout(() => resolve(undefined), 1);
      },
    };
    const result = await exchange({ a: request(() => untyped(twice)), b: request(() => pause(10)) });
    expect(result).toMatchObject({ upstream: undefined, client: { status: 403 }, failures: [] });
  });

  test("a header value's bytes, a list of values and a body that are changed afterwards", async () => {
    const bytes = Uint8Array.from(Buffer.from("good"));
    const list = ["good"];
    const a = request(({ request: { headers } }) => {
      headers.set("x-bytes", bytes);
      headers.set("x-list", list);
      bytes.set(Buffer.from("a\r\nb"));
      list.push("bad");
    });
    const { upstream } = await exchange({ a });
    expect(upstream?.headers).toMatchObject({ "x-bytes": ["good"], "x-list": ["good"] });
    const body = Uint8Array.from(Buffer.from("good"));
    const late = response(() => void body.set(Buffer.from("evil")));
    const replied = await exchange({ late, b: request(() => ({ status: 200, headers: { "x-list": list }, body })) });
    expect(replied.client).toMatchObject({ body: "good", headers: { "x-list": ["good", "bad"] } });
  });

  test("a list of values that hands out another list", async () => {
    const evil = ["fine"];
    const a = request(({ request: { headers } }) => {
      headers.set("x-a", untyped({ map: () => evil }));
      evil[0] = "a\r\nb: c";
    });
    expect((await exchange({ a })).reply).toBe("policy-failed");
  });

  test("a metadata key that turns into another one after it was checked", async () => {
    let reads = 0;
    const key = {
      get name(): string {
        reads += 1;
        return reads === 1 ? "note" : "auth";
      },
    };
    const { metadata } = await exchange({ a: request(({ metadata }) => metadata.set(key, "x")) });
    expect(metadata).toEqual({ note: "x" });
  });

  test("a getter of a reply cannot change the exchange: the handler has come to its end", async () => {
    const a = request((exchange) => ({
      get status(): number {
        exchange.request.headers.set("x-late", "1");
        return 200;
      },
    }));
    expect(await exchange({ a })).toMatchObject({ reply: "policy-failed", client: { status: 500 } });
  });
});

describe("a step can change the exchange only while its handler runs", () => {
  interface Kept {
    readonly exchange: RequestExchange<unknown>;
    readonly request: Request;
    readonly headers: Request["headers"];
    readonly metadata: RequestExchange["metadata"];
  }
  const keep = (exchange: RequestExchange<unknown>): Kept => ({
    exchange,
    request: exchange.request,
    headers: exchange.request.headers,
    metadata: exchange.metadata,
  });
  const writes: Readonly<Record<string, (kept: Kept) => void>> = {
    "a header": ({ headers }) => headers.set("x-late", "1"),
    "a header appended": ({ headers }) => headers.append("x-late", "1"),
    "a header deleted": ({ headers }) => headers.delete("x-kept"),
    "a header, through the exchange": ({ exchange }) => exchange.request.headers.set("x-late", "1"),
    "the path": ({ request }) => {
      request.path = "/late";
    },
    "the query": ({ request }) => {
      request.query = "late";
    },
    "the method": ({ exchange }) => {
      exchange.request.method = "PUT";
    },
    "the host": ({ request }) => {
      request.host = "late.example.com";
    },
    metadata: ({ metadata }) => metadata.set({ name: "note" }, "late"),
  };

  test.for(Object.entries(writes))("not afterwards, under the next step: %s", async ([, write]) => {
    let thrown: unknown = "nothing happened";
    const early = request((exchange) => {
      const kept = keep(exchange);
      setTimeout(() => {
        thrown = thrownBy(() => write(kept));
      }, 5);
    });
    const result = await exchange({ early, slow: request(() => pause(20)) }, { request: { headers: { "x-kept": "1" } } });
    expect(thrown).toBeInstanceOf(Error);
    expect(result.upstream).toMatchObject({ path: "/", method: "GET", host: "example.com", headers: { "x-kept": ["1"] } });
    expect(result.upstream?.headers).not.toHaveProperty("x-late");
    expect(result.metadata).toEqual({});
  });

  test.for(Object.entries(writes).filter(([what]) => what !== "metadata"))(
    "the request not when the response is there: %s",
    async ([, write]) => {
      let thrown: unknown = "nothing happened";
      let kept: Kept | undefined;
      let sees: unknown;
      const outer = response(({ request }) => {
        sees = [request.path, request.method, request.host, request.headers.get("x-late"), request.headers.get("x-kept")];
      });
      const inner: PolicyInstance<unknown> = {
        request: (exchange) => {
          kept = keep(exchange);
        },
        response: () => {
          thrown = thrownBy(() => kept && write(kept));
        },
      };
      await exchange({ outer, inner }, { request: { headers: { "x-kept": "1" } } });
      expect(thrown).toMatchObject({ message: "the request has already been sent on" });
      expect(sees).toEqual(["/", "GET", "example.com", undefined, "1"]);
    },
  );

  test("what it only reads can be read until the exchange is over", async () => {
    let seen: unknown;
    const early = request((exchange) => {
      const kept = keep(exchange);
      setTimeout(() => {
        seen = [kept.exchange.id, kept.headers.get("x-kept"), kept.request.path];
      }, 5);
    });
    await exchange({ early, slow: request(() => pause(20)) }, { request: { headers: { "x-kept": "1" } } });
    expect(seen).toEqual(["test-1", "1", "/"]);
  });

  test("what a handler does at its deadline is taken back", async () => {
    const late = request((exchange) => {
      exchange.signal.addEventListener("abort", () => exchange.request.headers.set("x-late", "1"));
      return new Promise(() => {});
    });
    const { upstream, failures } = await exchange({ late }, { chain: ["late?"] });
    expect(failures).toMatchObject([{ code: "policy-timeout" }]);
    expect(upstream?.headers).not.toHaveProperty("x-late");
  });
});

describe("when the exchange is over every access throws", () => {
  const reads: Readonly<
    Record<string, (kept: { exchange: ResponseExchange<unknown>; request: ReadonlyRequest; response: Response }) => unknown>
  > = {
    id: ({ exchange }) => exchange.id,
    route: ({ exchange }) => exchange.route,
    source: ({ exchange }) => exchange.source,
    signal: ({ exchange }) => exchange.signal,
    state: ({ exchange }) => exchange.state,
    request: ({ exchange }) => exchange.request,
    response: ({ exchange }) => exchange.response,
    metadata: ({ exchange }) => exchange.metadata,
    "request.path": ({ request }) => request.path,
    "request.query": ({ request }) => request.query,
    "request.method": ({ request }) => request.method,
    "request.host": ({ request }) => request.host,
    "request.scheme": ({ request }) => request.scheme,
    "request.time": ({ request }) => request.time,
    "request.headers.get": ({ request }) => request.headers.get("x-a"),
    "request.headers.getAll": ({ request }) => request.headers.getAll("x-a"),
    "request.headers.getBytes": ({ request }) => request.headers.getBytes("x-a"),
    "request.headers.has": ({ request }) => request.headers.has("x-a"),
    "request.headers.names": ({ request }) => request.headers.names(),
    "response.status": ({ response }) => response.status,
    "response.origin": ({ response }) => response.origin,
    "response.headers.get": ({ response }) => response.headers.get("x-a"),
  };

  test.for(Object.entries(reads))("%s", async ([, read]) => {
    const kept: Parameters<typeof read>[0][] = [];
    const keeper = response((exchange) => void kept.push({ exchange, request: exchange.request, response: exchange.response }));
    await exchange({ keeper });
    expect(kept).toHaveLength(1);
    for (const one of kept) expect(() => read(one)).toThrow("this step's exchange is over");
  });
});

describe("what steps share", () => {
  test("metadata cannot be changed by whoever holds it", async () => {
    const thrown: unknown[] = [];
    const note = { subject: "somebody", scopes: ["read"], nested: { deep: [{ value: 1 }] } };
    const writer = request(({ metadata }) => {
      metadata.set({ name: "note" }, note);
      thrown.push(thrownBy(() => note.scopes.push("admin")));
    });
    const reader = request(({ metadata }) => {
      const read = metadata.get<typeof note>({ name: "note" });
      thrown.push(thrownBy(() => Object.assign(read ?? {}, { subject: "root" })));
      thrown.push(thrownBy(() => Object.assign(read?.nested.deep[0] ?? {}, { value: 2 })));
    });
    const { metadata } = await exchange({ writer, reader });
    expect(thrown).toEqual([expect.any(TypeError), expect.any(TypeError), expect.any(TypeError)]);
    expect(metadata).toEqual({ note: { subject: "somebody", scopes: ["read"], nested: { deep: [{ value: 1 }] } } });
  });

  test("metadata that holds itself, and metadata that is bytes", async () => {
    const round: { self?: unknown } = {};
    round.self = round;
    const { metadata } = await exchange({
      a: request(({ metadata }) => metadata.set({ name: "note" }, { round, bytes: Buffer.from("a") })),
    });
    expect(metadata).toMatchObject({ note: { round, bytes: Buffer.from("a") } });
  });

  test("the address of the client cannot be changed", async () => {
    let seen: unknown;
    const a = request(({ source }) => void Object.assign(source, { address: "10.0.0.1" }));
    const b = request(({ source }) => {
      seen = source.address;
    });
    await exchange({ a, b });
    expect(seen).toBe("127.0.0.1");
  });
});

describe("the path", () => {
  const setQuery = request(({ request }) => {
    request.query = "stripped";
  });
  /** Without `rawPath` bytes beyond ASCII are refused before any step. */
  const raw = (...chain: readonly string[]): string => chainOf(...chain).replace("{ steps", "{ rawPath: true, steps");
  const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

  test("keeps its bytes when only the query is set: no character becomes another one", async () => {
    // U+012F and U+012E end in the bytes of `/` and `.`: written as one byte each they would make `//../admin` of it.
    const path = "/public/\u012f\u012e\u012e\u012fadmin";
    const { upstream } = await exchange({ setQuery }, { config: raw("setQuery"), request: { path: utf8(`${path}?key=1`) } });
    expect(upstream?.path).toBe(`${path}?stripped`);
  });

  test("setting it keeps the bytes of the query", async () => {
    const a = request(({ request }) => {
      request.path = "/other";
    });
    const { upstream } = await exchange({ a }, { request: { path: utf8("/public?q=\u012f\u00f6") } });
    expect(upstream?.path).toBe("/other?q=\u012f\u00f6");
  });

  test.for([
    ["OPTIONS", "*"],
    ["CONNECT", ""],
  ])("%s has none: a query cannot be set on `%s`", async ([method = "", path = ""]) => {
    const sent = { config: raw("setQuery"), request: { method, path } };
    expect(await exchange({ setQuery }, sent)).toMatchObject({ upstream: undefined, reply: "policy-failed" });
  });
});

const passing = "version: 1\nroutes: { route: [] }\n";

describe("header names and values", () => {
  test.for(["x-\u212aey", "x-a\u0130", "x a", "", ":path", "x-a\n"])("%j is no header name", async (name) => {
    const a = request(({ request: { headers } }) => headers.set(name, "1"));
    expect((await exchange({ a })).reply).toBe("policy-failed");
  });

  test("`__proto__` and the like are names as any other", async () => {
    const a = request(({ request: { headers } }) => {
      if (headers.has("__proto__") || headers.get("constructor") !== undefined) return { status: 403 };
      headers.set("__proto__", "a");
      headers.append("__proto__", "b");
      headers.set("constructor", "c");
      return { status: 200, body: JSON.stringify([headers.getAll("__proto__"), headers.get("constructor"), headers.names()]) };
    });
    const { client } = await exchange({ a });
    expect(JSON.parse(client.body)).toEqual([["a", "b"], "c", ["__proto__", "constructor"]]);
  });
});

describe("the testing engine", () => {
  test("shows the header `__proto__` as any other, of request and response", async () => {
    const headers = JSON.parse('{ "__proto__": ["a", "b"], "constructor": "c" }');
    const { upstream, client } = await exchange({}, { config: passing, request: { headers }, response: { headers } });
    for (const seen of [upstream?.headers, client.headers]) {
      expect(Object.entries(seen ?? {})).toEqual(
        expect.arrayContaining([
          ["__proto__", ["a", "b"]],
          ["constructor", ["c"]],
        ]),
      );
    }
  });
});

describe("a status without a body", () => {
  const hide = (status: number): PolicyInstance<unknown> =>
    response(({ response }) => {
      response.status = status;
    });

  test.for([204, 304])(
    "%i set on a reply takes the body with it: Envoy would write the bytes after the end of the response",
    async (status) => {
      const { client } = await exchange({ hide: hide(status), a: request(() => ({ status: 200, body: "HTTP/1.1 200 OK" })) });
      expect(client).toMatchObject({ status, body: "" });
    },
  );

  test.for([204, 304])("%i cannot be set on an upstream's response, whose body would follow as the next response", async (status) => {
    expect(await exchange({ hide: hide(status) })).toMatchObject({ client: { status: 500 }, reply: "policy-failed" });
  });

  test.for([204, 304])("%i can be set on an upstream's response that has none", async (status) => {
    expect(await exchange({ hide: hide(304) }, { response: { status } })).toMatchObject({ client: { status: 304 }, reply: undefined });
  });
});

describe("gRPC", () => {
  const retype = request(({ request: { headers } }) => headers.set("content-type", "text/plain"));
  const deny = request(() => ({ status: 403 }));
  const problem = request(() => untyped("no reply"));

  test("a client stays a gRPC client although a step has changed the content type: Envoy goes by what it received", async () => {
    const { client } = await exchange({ retype, problem }, { request: { headers: { "content-type": "application/grpc" } } });
    expect(client.body).toBe("Internal Server Error (test-1)");
  });

  const grpc = { request: { headers: { "content-type": "application/grpc" } } };
  const sized = (body: string | Uint8Array) => ({ sized: request(() => ({ status: 403, body })) });

  test.each([
    ["1 KiB", "a".repeat(1024), "a".repeat(1024)],
    ["more than that", "a".repeat(1025), "a".repeat(1024)],
    ["a character of two bytes across the limit", `${"a".repeat(1023)}é!`, "a".repeat(1023)],
    ["a character of four bytes across the limit", `${"a".repeat(1021)}😀!`, "a".repeat(1021)],
    ["a character of four bytes up to the limit", `${"a".repeat(1020)}😀!`, `${"a".repeat(1020)}😀`],
  ])("a client gets no more than 1 KiB of text, because it comes as a header: %s", async (_name, body, expected) => {
    expect((await exchange(sized(body), grpc)).client.body).toBe(expected);
    expect((await exchange(sized(body))).client.body).toBe(body);
  });

  test("a body that is no text is cut too", async () => {
    expect(Buffer.byteLength((await exchange(sized(Buffer.alloc(5000, 0x80)), grpc)).client.body, "latin1")).toBeLessThanOrEqual(1024);
  });

  test("and no other one becomes one", async () => {
    const retype = request(({ request: { headers } }) => headers.set("content-type", "application/grpc"));
    expect((await exchange({ retype, problem })).client.headers["content-type"]).toEqual(["application/problem+json"]);
  });

  test.for(["application/grpc;charset=utf-8", "application/grpc-web", "APPLICATION/GRPC"])("%s is none, as Envoy has it", async (type) => {
    const { client } = await exchange({ problem }, { request: { headers: { "content-type": type } } });
    expect(client.headers["content-type"]).toEqual(["application/problem+json"]);
    expect((await exchange({ deny }, { request: { headers: { "content-type": type } } })).client.status).toBe(403);
  });
});

test("a reply larger than the body limit is the step's failure: Envoy's and the transport's limits would cut the exchange", async () => {
  const big = request(() => ({ status: 200, body: Buffer.alloc(10 * 1024 * 1024 + 1) }));
  const result = await exchange({ big });
  expect(result).toMatchObject({ client: { status: 500 }, reply: "policy-failed" });
});

describe("the context", () => {
  const contexts = async (use: (context: PolicyContext) => void): Promise<unknown> => {
    let thrown: unknown;
    const policies = createdPolicies({
      a: (_, context) => {
        thrown = thrownBy(() => use(context));
        return request(() => undefined);
      },
    });
    const engine = await startTestEngine({ policies, config: chainOf("a") });
    engine.close();
    return thrown;
  };

  test.for([0, -1, 9, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])(
    "`every(%d)` is refused: timers would make a busy loop of it",
    async (milliseconds) => {
      expect(await contexts(({ every }) => every(milliseconds, () => {}))).toBeInstanceOf(RangeError);
    },
  );

  test("what is started again and again is refused: a handler that did so would fill the memory", async () => {
    const starts: Readonly<Record<string, (context: PolicyContext) => void>> = {
      every: ({ every }) => every(1_000, () => {}),
      health: ({ health }) => health("a", () => ({ ready: true, detail: "" })),
      counter: ({ counter }) => void counter("a", "A."),
    };
    for (const start of Object.values(starts)) {
      const many = (context: PolicyContext): void => {
        for (let count = 0; count <= 64; count++) start(context);
      };
      expect(await contexts(many)).toBeInstanceOf(RangeError);
    }
    expect(await contexts((context) => void Array.from({ length: 64 }, () => starts.every?.(context)))).toBeUndefined();
  });

  test.for([10, 2 ** 31 - 1])("`every(%d)` is not", async (milliseconds) => {
    expect(await contexts(({ every }) => every(milliseconds, () => {}))).toBeUndefined();
  });
});

test.for<[string, () => never]>([
  ["nothing readable", () => untyped(thrower(Object.create(null)))],
  ["an error whose message is no text", () => untyped(thrower(Object.assign(new Error("a"), { message: 7 })))],
  [
    "an error whose message throws",
    () =>
      untyped(
        thrower(
          Object.defineProperty(new Error("a"), "message", {
            get: () => {
              throw new Error("b");
            },
          }),
        ),
      ),
  ],
])("a `create` that throws %s is a problem of the configuration", async ([, create]) => {
  const started = startTestEngine({ policies: createdPolicies({ a: create }), config: chainOf("a") });
  await expect(started).rejects.toMatchObject({
    name: "RefusedConfigurationError",
    message: expect.stringContaining("could not be created"),
  });
});

function thrower(value: unknown): never {
  throw value;
}
