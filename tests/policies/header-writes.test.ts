/** What the shipped manifests say of the headers that their policies write, as the checks of a configuration make use of it. */
import { describe, expect, test } from "vitest";
import { checkConfig } from "../../src/config/check.ts";
import { policies } from "../../src/generated/registry.ts";
import { testEnvironment, testSchemas } from "../config/support.ts";

const environment = { ...testEnvironment(testSchemas()), policies };

const jwks = "{ keys: [{ kty: OKP, crv: Ed25519, x: XxWXwNP80QMx7PPUp5W-_pqrofGAcLP9xEmHI8F-uFY }] }";
const jwt1 = (more: string) =>
  `{ policy: jwt-validation@1, parameters: { issuer: a, jwks: ${jwks}, claimsToHeaders: [{ claim: sub, header: X-User }] }${more} }`;
const jwt2 = (more: string) =>
  `{ policy: jwt-validation@2, parameters: { issuers: [{ issuer: a, jwks: ${jwks} }], claimsToHeaders: [{ claim: sub, header: x-user }] }${more} }`;
const set1 = (changes: string) => `{ policy: set-header@1, name: one, parameters: { request: [${changes}] } }`;
const set2 = (changes: string) => `{ policy: set-header@2, name: two, parameters: { request: [${changes}] } }`;
const user = "metadata.auth.subject";

const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  [
    "claims that become headers may be forged where the token is not looked at",
    [jwt1(", when: request.path == '/'")],
    ["identity-forgeable"],
  ],
  ["of both versions", [jwt2(", when: request.path == '/'")], ["identity-forgeable"]],
  ["and not where it always is", [jwt2("")], []],
  ["an appended identity stands behind the client's", [jwt2(""), set1(`{ name: x-sub, appendFrom: ${user} }`)], ["identity-forgeable"]],
  ["of both versions", [jwt2(""), set2(`{ appendFrom: { name: x-sub, expression: ${user} } }`)], ["identity-forgeable"]],
  [
    "nor does ifAbsent replace it",
    [jwt2(""), set2(`{ setFrom: { name: x-sub, expression: ${user}, ifAbsent: true } }`)],
    ["identity-forgeable"],
  ],
  ["nor a renaming", [jwt2(""), set2(`{ rename: { from: x-a, to: x-sub, when: "${user} == 'a'" } }`)], ["identity-forgeable"]],
  [
    "a removal before makes it good",
    [jwt2(""), set1("{ name: x-sub, remove: true }"), set2(`{ appendFrom: { name: x-sub, expression: ${user} } }`)],
    [],
  ],
  [
    "one under a condition does not",
    [jwt2(""), set2(`{ remove: { name: x-sub, when: request.path == '/' } }, { appendFrom: { name: x-sub, expression: ${user} } }`)],
    ["identity-forgeable"],
  ],
  [
    "what is set twice is said",
    [jwt2(""), set1(`{ name: x-user, setFrom: ${user} }`), set2("{ set: { name: x-user, value: b } }")],
    ["header-overwritten", "header-overwritten"],
  ],
  [
    "what is added, or set under a condition, is not",
    [
      set1("{ name: x-a, set: a }"),
      set2("{ append: { name: x-a, value: b } }, { set: { name: x-a, value: c, when: request.path == '/' } }"),
    ],
    [],
  ],
];

describe("headers that steps write", () => {
  test.each(cases)("%s %#", (_, steps, expected) => {
    const text = `version: 1\nchains:\n  api:\n    steps:\n${steps.map((step) => `      - ${step}\n`).join("")}routes: { users: api }\n`;
    const checked = checkConfig([{ uri: "config.yaml", text }], environment);
    const found = "problems" in checked ? checked.problems : checked.config.warnings;
    expect(found.map(({ code }) => code)).toEqual(expected);
  });
});
