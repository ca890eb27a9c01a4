/** The chains that are measured, who calls them, and what the upstream must then see. */
import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { audience, issuer, jwks, keys, tokensAt } from "../../policies/jwt/token-table.ts";
import type { BenchRequest } from "./http1-connection.ts";
import { echoLine } from "./upstream.ts";

export const chainNames = ["empty", "one", "five", "ten", "held", "buffered", "streamed"] as const;
export type ChainName = (typeof chainNames)[number];

/** What a request brings along. */
export type Load = "headers" | "10 KiB" | "100 KiB";

/** What becomes of a request on its way: a chain, an ext_proc server that sets two headers, or nothing. */
export type Work = ChainName | "no-op" | "nothing";

/** Callers with a token of their own: more than a handful, few enough that each token has been seen before the measuring starts. */
const users = 200;
const apiKey = "key-of-the-benchmark";
/** Tokens outlive the longest run. */
const tokenSeconds = 86_400;

const bodyBytes = { headers: undefined, "10 KiB": 10 * 1024, "100 KiB": 100 * 1024 } as const satisfies Record<Load, number | undefined>;

/** The engine's configuration: one chain, bound to this many routes. Their names are `routeNames`. */
export function chainConfig(name: ChainName, routes: number): string {
  return configOf(chainSteps[name], routes);
}

export function configOf(steps: readonly unknown[], routes: number): string {
  return stringify({
    version: 1,
    chains: { measured: { steps } },
    routes: Object.fromEntries(routeNames(routes).map((route) => [route, "measured"])),
  });
}

/** One route is as good as another: they are called in turn. */
export function routeNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `route-${index}`);
}

/** As many as there are callers and routes, so that each of them has its turn. */
export function benchRequests(work: Work, load: Load, routes: number): readonly BenchRequest[] {
  const names = routeNames(routes);
  return benchTokens(users, Math.floor(Date.now() / 1000)).map((token, user) => {
    const route = names[user % names.length] ?? "";
    return { bytes: requestBytes(route, token, load), answer: answerOf(work, load, route, `user-${user}`) };
  });
}

const twoHeaders = {
  policy: "set-header@2",
  name: "route",
  parameters: {
    request: [{ set: { name: "x-bench-a", value: "alpha" } }, { setFrom: { name: "x-bench-route", expression: "route.name" } }],
  },
};

const five = [
  twoHeaders,
  {
    policy: "jwt-validation@2",
    name: "token",
    parameters: {
      issuers: [{ issuer, audiences: [audience], jwks: { keys: jwks } }],
      claimsToHeaders: [{ claim: "sub", header: "x-user" }],
    },
  },
  {
    policy: "api-key-validation@1",
    name: "key",
    parameters: { keys: [{ digest: createHash("sha256").update(apiKey).digest("hex"), owner: "alice", scopes: ["read"] }] },
  },
  {
    policy: "set-header@2",
    name: "owner",
    parameters: { request: [{ setFrom: { name: "x-owner", expression: "metadata.auth.subject" } }] },
  },
  {
    policy: "authorize@1",
    name: "readers",
    parameters: { rules: [{ allow: { when: '"read" in metadata.auth.?scopes.orValue([])', code: "readers" } }] },
  },
];

const oneMore = (name: string) => ({
  policy: "set-header@2",
  name,
  when: 'request.method == "GET"',
  parameters: { request: [{ set: { name: `x-bench-${name}`, value: name } }] },
});

export const chainSteps: Readonly<Record<ChainName, readonly unknown[]>> = {
  empty: [],
  one: [twoHeaders],
  five,
  ten: [...five, ...["six", "seven", "eight", "nine", "ten"].map(oneMore)],
  // Its response handler keeps each exchange open until the answer has passed.
  held: [
    { ...twoHeaders, parameters: { ...twoHeaders.parameters, response: [{ set: { name: "x-served", value: "yes" } }] } },
    ...five.slice(1),
  ],
  buffered: [
    twoHeaders,
    {
      policy: "set-header@2",
      name: "name",
      parameters: { request: [{ setFrom: { name: "x-name", expression: 'string(request.?json.?name.orValue(""))' } }] },
    },
  ],
  streamed: [twoHeaders, { policy: "mask@1", name: "mask", parameters: { request: { rules: [{ path: "$.secret" }] } } }],
};

const bodyName = "alice";
const secret = "a secret that is longer than its mask";
const masked = "***";

function bodyText(bytes: number): string {
  const of = (rows: readonly string[]): string => JSON.stringify({ name: bodyName, secret, rows });
  const row = "forty characters of text, and a few more";
  const rows = Array.from({ length: Math.floor((bytes - of([]).length) / (row.length + 3)) }, () => row);
  return of(rows).padEnd(bytes);
}

/** What a browser sends, and a token of the usual size. */
export function benchHeaders(token: string): readonly string[] {
  return [
    "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "accept: application/json, text/plain, */*",
    "accept-language: en-GB,en;q=0.9,de;q=0.8",
    "accept-encoding: gzip, deflate, br, zstd",
    "cache-control: no-cache",
    "referer: https://app.example.com/orders?page=2",
    "x-user: mallory",
    "x-owner: mallory",
    `x-api-key: ${apiKey}`,
    `authorization: Bearer ${token}`,
  ];
}

function requestBytes(route: string, token: string, load: Load): Buffer {
  const length = bodyBytes[load];
  const lines = [
    `${length === undefined ? "GET" : "POST"} /${route} HTTP/1.1`,
    "host: api.example.com",
    ...benchHeaders(token),
    ...(length === undefined ? [] : ["content-type: application/json", `content-length: ${length}`]),
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${length === undefined ? "" : bodyText(length)}`, "latin1");
}

function answerOf(work: Work, load: Load, route: string, user: string): string {
  const arrived = bodyBytes[load] ?? 0;
  const untouched = { a: "", route: "", user: "mallory", owner: "mallory", name: "", bodyBytes: arrived };
  const two = { ...untouched, a: "alpha", route };
  switch (work) {
    case "nothing":
    case "empty":
      return echoLine(untouched);
    case "no-op":
    case "one":
      return echoLine(two);
    case "five":
    case "ten":
    case "held":
      return echoLine({ ...two, user, owner: "alice" });
    case "buffered":
      return echoLine({ ...two, name: bodyName });
    case "streamed":
      return echoLine({ ...two, bodyBytes: arrived - secret.length + masked.length });
  }
}

/** @param now when they are made, seconds since the epoch; they are good for a day */
export function benchTokens(count: number, now: number): readonly string[] {
  const makeToken = tokensAt(now);
  // Makes it 750 bytes or so.
  const groups = ["orders-readers", "orders-writers", "reports-readers", "catalogue-editors", "on-call", "engineering", "everybody"];
  const more = { groups, email: "somebody@example.com", tenant: "5b0f7c6e-8d0c-4d7e-9f6a-1c2d3e4f5a6b", azp: "a-client-of-the-benchmark" };
  return Array.from({ length: count }, (_, user) =>
    makeToken({ key: keys.ed, claims: { sub: `user-${user}`, exp: now + tokenSeconds, ...more } }),
  );
}
