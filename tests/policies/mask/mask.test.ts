import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { bodyKind } from "../../../policies/mask/v1.0.0/body-kind.ts";
import { bindMask } from "../../../policies/mask/v1.0.0/mask.ts";
import { bodyEditors } from "../../../policies/mask/v1.0.0/mask-body.ts";
import type { Rule } from "../../../policies/mask/v1.0.0/parameters.ts";
import { bindRules } from "../../../policies/mask/v1.0.0/rules.ts";
import { loadPatternEngine } from "../../../src/expressions/patterns.ts";
import { policies } from "../../../src/generated/registry.ts";
import { startTestEngine } from "../../../src/testing/test-engine.ts";
import { cutAt, cuts, edited } from "../streams/chunks.ts";

const { engine } = loadPatternEngine();

/** A rule as it is written, with the pattern as text. */
type Written = Partial<Omit<Rule, "pattern">> & { readonly pattern?: string };

function bound(written: readonly Written[]) {
  return bindRules(
    written.map(({ pattern, ...rule }): Rule => {
      const full = { replaceWith: "***", ...rule };
      if (pattern === undefined) return full;
      const result = engine.compile(pattern);
      if ("problem" in result) throw new Error(result.problem.message);
      return { ...full, pattern: result.pattern };
    }),
    "rules",
  );
}

function masked(contentType: string, rules: readonly Written[], chunks: readonly Uint8Array[], heldBytesMax = 10_000) {
  const kind = bodyKind([contentType]);
  if (kind === undefined) throw new Error(`${contentType} cannot be masked`);
  return edited(bodyEditors(kind, bound(rules), heldBytesMax), chunks);
}

const whole = (contentType: string, rules: readonly Written[], body: string): string => {
  const result = masked(contentType, rules, [Buffer.from(body)]);
  return result.reason ?? result.bytes.toString();
};

describe("what is masked", () => {
  test.each<[string, string, readonly Written[], string, string]>([
    ["text", "text/plain", [{ detect: "email" }], "write to alice@example.com, please", "write to ***, please"],
    ["text, without a bound", "text/plain", [{ pattern: "sk-\\w+" }], "key sk-abc123 and sk-x", "key *** and ***"],
    ["one rule after the other", "text/plain", [{ pattern: "\\d{4}", replaceWith: "#" }, { pattern: "#{2}" }], "12345678 1234", "*** #"],
    ["values and names of JSON", "application/json", [{ detect: "email" }], '{"a@b.cd":["x a@b.cd",1]}', '{"***":["x ***",1]}'],
    ["escapes in JSON", "application/json", [{ detect: "email" }], '["a\\u0040b.cd","\\"a@b.cd\\""]', '["***","\\"***\\""]'],
    [
      "numbers in JSON",
      "application/json",
      [{ detect: "credit-card", keepLast: 4 }],
      '{"n": 4111111111111111, "m": 1.0}',
      '{"n": "***1111", "m": 1.0}',
    ],
    ["the whole of a string", "application/json", [{ pattern: "^\\d+$" }], '["12","1a",12]', '["***","1a","***"]'],
    [
      "a path",
      "application/json",
      [{ path: "$.user.ssn" }],
      '{"user":{"ssn":"1-2","ssn":3},"ssn":4}',
      '{"user":{"ssn":"***","ssn":"***"},"ssn":4}',
    ],
    ["any value at a path", "application/json", [{ path: "$.*" }], '[null,true,{"a":1},[],"x",1]', '["***","***","***","***","***","***"]'],
    [
      "a path before a pattern",
      "application/json",
      [{ pattern: "\\d" }, { path: "$.a", replaceWith: "#1" }],
      '{"a":12,"b":"12"}',
      '{"a":"#1","b":"******"}',
    ],
    ["JSON by suffix", "application/problem+json; charset=UTF-8", [{ path: "$..detail" }], '{"detail":"x"}', '{"detail":"***"}'],
    ["JSON lines", "application/x-ndjson", [{ path: "$.a" }], '{"a":1}\r\n\n{"b":1}\n7', '{"a":"***"}\r\n\n{"b":1}\n7'],
    [
      "JSON in events",
      "text/event-stream",
      [{ path: "$..content" }],
      'data: {"delta":{"content":"hi"}}\n\ndata: [DONE]\n\n',
      'data: {"delta":{"content":"***"}}\n\ndata: [DONE]\n\n',
    ],
    [
      "JSON over several lines of data",
      "text/event-stream",
      [{ path: "$.a" }],
      'data: {"a":\ndata: 1}\n\n',
      'data: {"a":\ndata: "***"}\n\n',
    ],
    [
      "text in events",
      "text/event-stream",
      [{ detect: "email" }],
      "event: note\ndata: from a@b.cd\nid: 1\n\n",
      "event: note\ndata: from ***\nid: 1\n\n",
    ],
    ["a JSON string in events", "text/event-stream", [{ detect: "email" }], 'data: "a\\u0040b.cd"\n\n', 'data: "***"\n\n'],
    [
      "a number in events stays a number's text",
      "text/event-stream",
      [{ detect: "credit-card" }],
      "data: 4111111111111111\n\n",
      "data: ***\n\n",
    ],
    [
      "what only looks like JSON",
      "text/event-stream",
      [{ detect: "email" }],
      'data: [a@b.cd\n\ndata: {"\n\n',
      'data: [***\n\ndata: {"\n\n',
    ],
    [
      "every line of an event",
      "text/event-stream",
      [{ detect: "email" }],
      ": a@b.cd\nevent: a@b.cd\nid: a@b.cd\nother: a@b.cd\na@b.cd\nmore: x\n\n",
      ": ***\nevent: ***\nid: ***\nmore: x\n\n",
    ],
    ["an event that is not ended", "text/event-stream", [{ detect: "email" }], "data: a@b.cd", "data: ***\n"],
    ["a quotation that is no JSON", "text/event-stream", [{ path: "$.a" }], 'data: "hello\n\n', 'data: "hello\n\n'],
    ["nothing at a path in text", "text/event-stream", [{ path: "$.a" }], "data: hello\n\n: ping\n\n", "data: hello\n\n: ping\n\n"],
    ["JSON behind a byte order mark", "text/event-stream", [{ path: "$.a" }], 'data: \ufeff{"a":1}\n\n', 'data: \ufeff{"a":"***"}\n\n'],
    [
      "all that is JSON, in events",
      "text/event-stream",
      [{ path: "$" }],
      'data: 42\n\ndata: true\n\ndata: {"a":1}\n\ndata: hello\n\ndata: [DONE]\n\n',
      'data: "***"\n\ndata: "***"\n\ndata: "***"\n\ndata: hello\n\ndata: [DONE]\n\n',
    ],
    ["XML", "image/svg+xml", [{ detect: "iban" }], "<a>DE89 3704 0044 0532 0130 00</a>", "<a>***</a>"],
  ])("%s", (_, contentType, rules, body, expected) => {
    expect(whole(contentType, rules, body)).toBe(expected);
  });
});

describe("what takes its place", () => {
  const inPlace = (rule: Written, text: string): string =>
    Buffer.from(bindMask({ replaceWith: "***", ...rule }).text(Buffer.from(text))).toString();

  test.each<[Written, string, string]>([
    [{}, "secret", "***"],
    [{ replaceWith: "" }, "secret", ""],
    [{ replaceWith: "[mail]" }, "secret", "[mail]"],
    [{ keepLast: 4 }, "4111 1111 1111 1234", "***1234"],
    [{ keepLast: 4 }, "12345", "***45"],
    [{ keepLast: 4 }, "1", "***"],
    [{ keepLast: 2 }, "ab😀é", "***😀é"],
    [{ hmacKey: "k".repeat(16), replaceWith: "u-" }, "alice@example.com", "u-a033e0b5e3bddad8813ffbf511bc226a"],
  ])("%j of %j", (rule, text, expected) => {
    expect(inPlace(rule, text)).toBe(expected);
  });

  test("nothing of a structure, a truth value or null is kept", () => {
    expect(whole("application/json", [{ path: "$.*", keepLast: 4 }], '[{"a":"1234"},true,null,"12345678",12345678]')).toBe(
      '["***","***","***","***5678","***5678"]',
    );
  });

  test("a pseudonym is the same for the same text, in JSON and in text, and another with another key", () => {
    const rule: Written = { detect: "email", hmacKey: "0123456789abcdef", replaceWith: "" };
    const inText = whole("text/plain", [rule], "a@b.cd");
    expect(whole("application/json", [rule], '["\\u0061@b.cd"]')).toBe(`["${inText}"]`);
    expect(inText).toMatch(/^[0-9a-f]{32}$/);
    expect(whole("text/plain", [{ ...rule, hmacKey: "fedcba9876543210" }], "a@b.cd")).not.toBe(inText);
  });
});

test.each<[readonly Written[], string]>([
  [[{ detect: "email" }, { pattern: "a*" }], "`rules[1]`: the pattern `a*` matches the empty text"],
  [[{ path: "$.a[?x]" }], "`rules[0]`: the path `$.a[?x]` goes wrong at character 4"],
  [[{ path: "$", keepLast: 1, hmacKey: "0123456789abcdef" }], "`rules[0]`: `keepLast` and `hmacKey` do not go together"],
])("rules that cannot be meant are refused: %j", (rules, message) => {
  expect(() => bound(rules)).toThrow(message);
});

describe("a body that cannot be masked to its end is ended", () => {
  const email: readonly Written[] = [{ detect: "email" }];
  test.each<[string, string, readonly Written[], string | Uint8Array, RegExp]>([
    ["no JSON", "application/json", email, '{"a":1', /^the JSON is wrong at byte 6: an object does not end$/],
    ["a line that is no JSON", "application/x-ndjson", email, '{"a":1}\nx\n', /^the JSON is wrong at byte 0: a value is missing$/],
    [
      "an event that might have what a path leads to",
      "text/event-stream",
      [{ path: "$.a" }],
      'data: {"a":1\n\n',
      /^the JSON is wrong at byte 6/,
    ],
    ["text that is no UTF-8", "text/plain", email, Buffer.from("é", "latin1"), /UTF-8/],
    ["text that is no UTF-8, held whole", "text/plain", [{ pattern: "a+" }], Buffer.from("é", "latin1"), /^the body is no UTF-8$/],
    ["JSON that is no UTF-8", "application/json", email, Buffer.from('"é"', "latin1"), /^the JSON is no UTF-8$/],
    ["UTF-16", "application/json", email, Buffer.from('"a@b.cd"', "utf16le"), /^the JSON is wrong at byte 1/],
    ["XML in UTF-16", "application/xml", email, Buffer.from("<a>a@b.cd</a>", "utf16le"), /NUL/],
    ["text in UTF-16, held whole", "text/plain", [{ pattern: "a+" }], Buffer.from("a@b.cd", "utf16le").swap16(), /NUL/],
    ["a large document", "application/json", email, JSON.stringify("x".repeat(10_000)), /^the body is larger than 10000 bytes$/],
    ["a long line", "application/x-ndjson", email, JSON.stringify("x".repeat(10_000)), /^a line is longer than 10000 bytes$/],
    ["a large event", "text/event-stream", email, `data: ${"x".repeat(10_000)}`, /^an event is larger than 10000 bytes$/],
    [
      "a large text for a pattern without a bound",
      "text/plain",
      [{ pattern: "a+" }],
      "x".repeat(10_001),
      /^the body is larger than 10000 bytes$/,
    ],
  ])("%s", (_, contentType, rules, body, reason) => {
    for (const chunks of [[Buffer.from(body)], cutAt(Buffer.from(body), [1, 3, 100])]) {
      const result = masked(contentType, rules, chunks);
      expect(result.reason).toMatch(reason);
    }
  });

  test("a text that is as long as it likes passes where patterns have a bound", () => {
    const result = masked(
      "text/plain",
      email,
      Array.from({ length: 100 }, () => Buffer.alloc(1_000, "no address here ")),
    );
    expect(result).toMatchObject({ reason: undefined });
    expect(result.bytes).toHaveLength(100_000);
  });
});

test("an event is masked and leaves when it is complete", () => {
  const chunks = ["data: a@b", ".cd\n\n: c\n", '\ndata: {"a":"a@', 'b.cd"}\n', "\n"].map((text) => Buffer.from(text));
  expect(masked("text/event-stream", [{ detect: "email" }], chunks).given).toEqual([
    "",
    "data: ***\n\n",
    ": c\n\n",
    "",
    'data: {"a":"***"}\n\n',
    "",
  ]);
});

const secrets = [
  "4111 1111 1111 1111",
  "5555555555554444",
  "alice.b@example.com",
  "DE89 3704 0044 0532 0130 00",
  "sk-abcdef0123456789",
  "tok_äöü€😀€",
  "4111111111111111",
];
const finders: readonly Written[] = [
  { detect: "credit-card" },
  { detect: "email" },
  { detect: "iban" },
  { pattern: "sk-[a-z0-9]{16}" },
  { pattern: "tok_[äöü€😀]{1,16}" },
];
const bodies: readonly (readonly [contentType: string, body: string])[] = [
  ["text/plain", secrets.map((secret) => `text ${secret} and "${secret}"\n`).join("")],
  [
    "application/json",
    JSON.stringify({
      list: secrets,
      [secrets[2] ?? ""]: { deep: secrets.map((secret) => ({ text: `x ${secret} y` })) },
      number: 4111111111111111,
    }),
  ],
  [
    "application/json",
    JSON.stringify(secrets).replace(/[^ -~]|[a@s]/g, (sign) =>
      [...Array(sign.length).keys()].map((at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
    ),
  ],
  ["application/x-ndjson", secrets.map((secret) => `${JSON.stringify({ secret })}\r\n`).join("")],
  [
    "text/event-stream",
    secrets
      .map((secret) => `: ${secret}\nevent: e\ndata: ${JSON.stringify({ secret })}\r\ndata\r\nid: 1\r\n\r\ndata: ${secret}\n\n`)
      .join(""),
  ],
];

describe.each(bodies)("secrets in %s", (contentType, body) => {
  const bytes = Buffer.from(body);
  const clean = (chunks: readonly Uint8Array[]): string => {
    const { reason, bytes: given } = masked(contentType, finders, chunks);
    expect(reason).toBeUndefined();
    const text = given.toString();
    const plain = text.replace(/\\u([0-9a-f]{4})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
    for (const secret of secrets) expect(plain).not.toContain(secret);
    expect(plain).toContain("***");
    return text;
  };
  const expected = clean([bytes]);

  test("never pass, wherever one border is", () => {
    for (let at = 1; at < bytes.length; at++) expect(clean(cutAt(bytes, [at]))).toBe(expected);
  });

  test("never pass byte by byte", () => {
    expect(clean(Array.from(bytes, (byte) => Buffer.from([byte])))).toBe(expected);
  });

  test("never pass, wherever many borders are", () => {
    fc.assert(
      fc.property(cuts, (places) => {
        expect(clean(cutAt(bytes, places))).toBe(expected);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

test("JSON stays JSON, and what no rule is for stays as it was", () => {
  const values = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(...secrets, 1, 4111111111111111, null, true),
      fc.string({ unit: "grapheme", maxLength: 5 }),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.constantFrom("a", "secret"), fc.string({ maxLength: 4 })), tie("value"), { maxKeys: 3 }),
    ),
  })).value;
  fc.assert(
    fc.property(values, fc.constantFrom("", "\t"), cuts, (value, space, places) => {
      const json = JSON.stringify(value, null, space);
      const { bytes, reason } = masked("application/json", [...finders, { path: "$..secret" }], cutAt(Buffer.from(json), places));
      expect(reason).toBeUndefined();
      expect(JSON.parse(bytes.toString())).toEqual(reference(JSON.parse(json)));
    }),
    { seed: 1, numRuns: 500 },
  );
});

function reference(value: unknown): unknown {
  if (typeof value !== "object" && secrets.includes(String(value))) return "***";
  if (Array.isArray(value)) return value.map(reference);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, name === "secret" ? "***" : reference(part)]));
}

test.each([
  [["application/json"], "json"],
  [['Application/JSON ; Charset="UTF-8"'], "json"],
  [["application/vnd.api+json"], "json"],
  [["text/json"], "json"],
  [["application/x-ndjson"], "json-lines"],
  [["application/jsonl"], "json-lines"],
  [["application/stream+json"], "json-lines"],
  [["text/event-stream;charset=utf-8"], "events"],
  [["text/plain"], "text"],
  [["text/html; charset=us-ascii; x=y"], "text"],
  [["application/xml"], "text"],
  [["application/soap+xml"], "text"],
  [["application/json; charset=utf-16"], undefined],
  [["text/plain; charset=iso-8859-1"], undefined],
  [["text/plain; charset=utf-8; charset=utf-16"], undefined],
  [["text/plain;charset="], undefined],
  [['text/plain; charset="utf-8" ; x=y'], "text"],
  // To browsers, and others that read on behind the quotation, this is UTF-16.
  [['text/plain; charset="utf-16le"x'], undefined],
  [['text/plain; charset=utf-16"'], undefined],
  [['text/plain; charset="utf\\-16"'], undefined],
  [["text/plain; charset*=utf-16"], undefined],
  [['text/plain; x=";charset=utf-8"; charset="utf-16'], undefined],
  [["application/json, text/plain"], undefined],
  [["application/json; a=b, text/plain"], undefined],
  [["application/json", "application/json"], undefined],
  [["application/json-seq"], undefined],
  [["application/octet-stream"], undefined],
  [["application/x-www-form-urlencoded"], undefined],
  [["multipart/form-data; boundary=x"], undefined],
  [["application/grpc"], undefined],
  [["json"], undefined],
  [[""], undefined],
  [[], undefined],
])("content type %j is %s", (contentTypes, kind) => {
  expect(bodyKind(contentTypes)).toBe(kind);
});

test("a response that cannot be masked to its end is broken off where it cannot go on", async () => {
  const testing = await startTestEngine({
    policies,
    config: stringify({
      version: 1,
      chains: { all: { steps: [{ policy: "mask@1", parameters: { response: { rules: [{ detect: "email" }, { path: "$.a" }] } } }] } },
      routes: { all: "all" },
    }),
  });
  const events = ["data: a@b.cd\n\n", "data: {broken\n\n", "data: a@b.cd\n\n"];
  const { client, failures } = await testing.exchange({ route: "all" }, { headers: { "content-type": "text/event-stream" }, body: events });
  testing.close();
  expect(client).toMatchObject({ status: 200, body: "data: ***\n\n", cut: true });
  expect(failures.map(({ code, cause }) => [code, cause])).toEqual([
    ["stream-aborted", new Error("the JSON is wrong at byte 1: a member has no name")],
  ]);
});
