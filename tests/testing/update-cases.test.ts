import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { Expectation } from "../../src/testing/case-format.ts";
import { updateCases } from "../../src/testing/update-cases.ts";

const text = `# about the file
config: [a.yaml] # and what it is about
cases:
  # the first
  - name: block   # kept
    request: { path: /x }
    expect: { reply: { status: 200 } } # kept too
  - { name: flow, request: { path: "/y" }, expect: { request: {} } }

  - { name: flow without, request: { path: "/y" } }
  - name: nested
    expect:
      reply:
        status: 403

  # after a blank line
  - expect: { request: {} }
    name: first
  - name: without
    request:
      headers: { a: b }   # kept as well

  - name: last
    request:
      body: |
        several
        lines
`;
const names = ["block", "flow", "flow without", "nested", "first", "without", "last"];

const long: Expectation = {
  reply: { status: 401, code: "x-y", body: "z".repeat(120), headers: { a: ["1", "2"], "www-authenticate": 'B realm="x"' } },
};

test("what is short goes into one line, what is long into several, and nothing else changes", () => {
  const short: Expectation = { request: { path: "/q: a" } };
  const updated = updateCases(
    text,
    new Map([
      ["block", long],
      ["flow", short],
      ["flow without", short],
      ["nested", short],
      ["first", short],
      ["without", long],
      ["last", short],
    ]),
  );
  expect(updated).toBe(`# about the file
config: [a.yaml] # and what it is about
cases:
  # the first
  - name: block   # kept
    request: { path: /x }
    expect:
      reply:
        status: 401
        code: x-y
        body: ${"z".repeat(120)}
        headers:
          a:
            - "1"
            - "2"
          www-authenticate: B realm="x" # kept too
  - { name: flow, request: { path: "/y" }, expect: { request: { path: "/q: a" } } }

  - { name: flow without, request: { path: "/y" }, expect: { request: { path: "/q: a" } } }
  - name: nested
    expect: { request: { path: "/q: a" } }

  # after a blank line
  - expect: { request: { path: "/q: a" } }
    name: first
  - name: without
    request:
      headers: { a: b }   # kept as well
    expect:
      reply:
        status: 401
        code: x-y
        body: ${"z".repeat(120)}
        headers:
          a:
            - "1"
            - "2"
          www-authenticate: B realm="x"

  - name: last
    request:
      body: |
        several
        lines
    expect: { request: { path: "/q: a" } }
`);
});

test("whatever came out, the file says it afterwards and says nothing else", () => {
  const words = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom("a", " ", "\n", ":", "#", "'", '"', "{", "]", ",", "&", "*", "|", "-") }),
  );
  const headers = fc.dictionary(
    words.filter((name) => name !== "" && name !== "__proto__"),
    fc.oneof(words, fc.array(words)),
  );
  const expectation: fc.Arbitrary<Expectation> = fc.oneof(
    fc.record({ reply: fc.record({ status: fc.integer({ min: 200, max: 599 }), code: words, body: words, headers }) }),
    fc.record({ request: fc.record({ path: words, headers }), metadata: fc.dictionary(fc.constantFrom("auth", "note"), fc.jsonValue()) }),
    fc.record({ refused: words }),
  );
  const before: { readonly cases: readonly { readonly name: string }[] } = parse(text);
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), expectation), (chosen) => {
      const expectations = new Map(Object.entries(chosen));
      const after: unknown = parse(updateCases(text, expectations));
      expect(after).toEqual({
        ...before,
        cases: before.cases.map((one) => ({ ...one, ...(expectations.has(one.name) ? { expect: expectations.get(one.name) } : {}) })),
      });
    }),
    { seed: 7, numRuns: 100 },
  );
});

test("an expectation that another case shares is left to its author", () => {
  const shared = "cases:\n  - name: a\n    expect: &e { request: {} }\n  - name: b\n    expect: *e\n";
  expect(() => updateCases(shared, new Map([["a", long]]))).toThrow("write their `expect` by hand: a");
  expect(updateCases(shared, new Map([["b", { refused: "x" }]]))).toBe(shared.replace("*e", "{ refused: x }"));
});
