/** A chain of five policies, who calls it, and what must come of each call. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { stringify } from "yaml";
import { portOf } from "../../../scripts/processes/free-port.ts";
import { valuesOf } from "../../../scripts/processes/header-lines.ts";
import type { ClientResponse } from "../../../scripts/processes/send.ts";
import { audience, issuer, jwks, keys, tokensAt } from "../../policies/jwt/token-table.ts";
import { echoOf } from "./echo-upstream.ts";

export interface FivePolicies {
  /** The engine's configuration, with the route `guarded`. */
  readonly policies: string;
  /** The same for the same number. */
  call(number: number): Call;
  /** How often the tokens' issuer was asked for its keys. */
  keySetRequests(): number;
  stop(): Promise<void>;
}

export interface Call {
  readonly number: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly reachesUpstream: boolean;
  /** What is wrong with the answer; undefined when nothing is. */
  faultOf(response: ClientResponse): string | undefined;
}

/** Callers with a token of their own: more than a handful, so that an answer of another caller's shows. */
const users = 500;
const owners = [
  { owner: "alice", key: "key-of-alice", scopes: ["read"] },
  { owner: "bob", key: "key-of-bob", scopes: ["read"] },
  { owner: "carol", key: "key-of-carol", scopes: ["other"] },
] as const;
/** Tokens outlive the longest run. */
const tokenSeconds = 86_400;

/** Rejects when the issuer of the tokens cannot listen. */
export async function startFivePolicies(): Promise<FivePolicies> {
  let keySetRequests = 0;
  const server = createServer((_, response) => {
    keySetRequests += 1;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ keys: jwks }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const now = Math.floor(Date.now() / 1000);
  const makeToken = tokensAt(now);
  const tokens = Array.from({ length: users }, (_, user) =>
    makeToken({ key: keys.ed, claims: { sub: `user-${user}`, exp: now + tokenSeconds } }),
  );
  return {
    policies: policiesText(`http://127.0.0.1:${portOf(server)}/keys`),
    call: (number) => callOf(number, tokens),
    keySetRequests: () => keySetRequests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function policiesText(keysUri: string): string {
  const steps = [
    // First, so that it sees every response, replies too: each exchange lasts until its answer has passed.
    {
      policy: "set-header@2",
      name: "frame",
      parameters: {
        request: [{ set: { name: "x-chain", value: "five" } }],
        response: [{ set: { name: "x-served", value: "by five policies" } }],
      },
    },
    {
      policy: "jwt-validation@2",
      name: "token",
      parameters: {
        issuers: [{ issuer, audiences: [audience], jwks: { uri: keysUri, refreshSeconds: 3600, staleSeconds: 86_400 } }],
        claimsToHeaders: [{ claim: "sub", header: "x-user" }],
      },
    },
    {
      policy: "api-key-validation@1",
      name: "key",
      parameters: {
        keys: owners.map(({ owner, key, scopes }) => ({ digest: createHash("sha256").update(key).digest("hex"), owner, scopes })),
      },
    },
    {
      policy: "set-header@2",
      name: "owner",
      parameters: { request: [{ setFrom: { name: "x-owner", expression: "metadata.auth.subject" } }] },
    },
    {
      policy: "authorize@1",
      name: "readers",
      when: 'request.headers[?"x-careful"].orValue("") == "1"',
      parameters: { rules: [{ allow: { when: '"read" in metadata.auth.?scopes.orValue([])', code: "readers" } }] },
    },
  ];
  return stringify({ version: 1, chains: { guarded: { steps } }, routes: { guarded: "guarded" } });
}

function callOf(number: number, tokens: readonly string[]): Call {
  const user = number % tokens.length;
  const { owner, key } = ownerOf(number);
  const refusal = refusalOf(number);
  const echo = echoOf({ "x-number": String(number), "x-chain": "five", "x-user": `user-${user}`, "x-owner": owner });
  return {
    number,
    path: "/guarded",
    headers: {
      "x-number": String(number),
      "x-user": "mallory",
      "x-owner": "mallory",
      "x-api-key": refusal === "unknown key" ? "key-of-mallory" : key,
      ...(isCareful(number) ? { "x-careful": "1" } : {}),
      ...(refusal === "no token" ? {} : { authorization: `Bearer ${tokens[user]}` }),
    },
    reachesUpstream: refusal === undefined,
    faultOf(response) {
      const served = valuesOf(response.headers, "x-served").join() === "by five policies";
      const right = refusal === undefined ? response.status === 200 && response.body === echo : isRefusal(response, refusal);
      return served && right ? undefined : `call ${number}: ${response.status} ${JSON.stringify(response.headers)} ${response.body}`;
    },
  };
}

type Refusal = "no token" | "unknown key" | "no reader";

const ownerOf = (number: number) => owners[number % owners.length] ?? owners[0];
const isCareful = (number: number): boolean => number % 10 === 0;

function refusalOf(number: number): Refusal | undefined {
  if (number % 50 === 7) return "no token";
  if (number % 50 === 21) return "unknown key";
  return isCareful(number) && !ownerOf(number).scopes.some((scope) => scope === "read") ? "no reader" : undefined;
}

function isRefusal({ status, headers, body }: ClientResponse, refusal: Refusal): boolean {
  const schemes = valuesOf(headers, "www-authenticate").map((value) => value.split(" ")[0]);
  const expected = refusal === "no reader" ? "403 " : `401 ${refusal === "no token" ? "Bearer" : "ApiKey"}`;
  return `${status} ${schemes.join()}` === expected && body.includes(`"status":${status}`);
}
