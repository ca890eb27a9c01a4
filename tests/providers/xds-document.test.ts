/** Resources of the discovery service as documents: everything that one can say the other can say, and nothing is lost on the way. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { resourceOf } from "../../scripts/xds/resource-of.ts";
import { checkConfig } from "../../src/config/check.ts";
import { formatProblems } from "../../src/config/problems.ts";
import { Configuration, type Step } from "../../src/generated/proto/policy_engine/config/v1/configuration.ts";
import { readResource } from "../../src/providers/xds-document.ts";
import { casesIn } from "../config/goldens.ts";
import { testEnvironment, testSchemas } from "../config/support.ts";

const environment = testEnvironment(testSchemas());
const encode = (configuration: Configuration): Uint8Array => Configuration.encode(configuration).finish();
const read = (configuration: Configuration): unknown => parse(readResource(encode(configuration)).text);

describe("a document and the resource that says the same come to the same configuration", () => {
  // What a resource cannot say is not written the same way: keys that are unknown, values of other types.
  const accepted = casesIn("cases/").filter(({ documents }) => documents.length === 1 && "config" in checkConfig(documents, environment));
  const samples = readdirSync(join(import.meta.dirname, "../../configs/xds")).filter((file) => file !== "settings.yaml");

  test.each(accepted)("$name", ({ documents: [document] }) => {
    if (document === undefined) throw new Error("there is no document");
    const resource = readResource(resourceOf("a", document.text));
    const [written, delivered] = [document, resource].map((one) => checkConfig([one], environment));
    if (written === undefined || delivered === undefined || !("config" in written)) throw new Error("the document is refused");
    if (!("config" in delivered)) throw new Error(formatProblems(delivered.problems));
    // Sizes and durations are written in other units.
    const plain = ({ chains, routes, unmatched }: typeof written.config): string =>
      JSON.stringify([[...chains], [...routes].toSorted(), unmatched], (key, value) =>
        ["hash", "position"].includes(key) ? undefined : value,
      );
    expect(plain(delivered.config)).toEqual(plain(written.config));
    expect(delivered.config.warnings.map(({ code, path }) => [code, path])).toEqual(
      written.config.warnings.map(({ code, path }) => [code, path]),
    );
  });

  test.each(samples)("the sample %s has the same content", (file) => {
    const text = readFileSync(join(import.meta.dirname, "../../configs/xds", file), "utf8");
    expect(parse(readResource(resourceOf("a", text)).text)).toEqual(withoutEmpty(parse(text)));
  });

  function withoutEmpty({ version, chains, routes, unmatched }: Record<string, Record<string, object>>): object {
    const whole = Object.entries(chains ?? {}).map(([name, chain]) => [name, { labels: {}, ...chain }]);
    return { version, chains: Object.fromEntries(whole), routes, ...(unmatched === undefined ? {} : { unmatched }) };
  }
});

test("parameters arrive as they are, whatever is in them", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (parameters) => {
      fc.pre(!JSON.stringify(parameters).includes("__proto__"));
      const step: Step = { policy: "a@1", parameters };
      const document = read({ name: "a", chains: [{ name: "a", steps: [step] }] });
      expect(document).toEqual({
        version: 1,
        chains: { a: { labels: {}, steps: [{ policy: "a@1", parameters: plain(parameters) }] } },
        routes: {},
      });
    }),
    { seed: 1, numRuns: 300 },
  );

  /** JSON has no -0. */
  function plain(value: unknown): unknown {
    return JSON.parse(JSON.stringify(value));
  }
});

test("what is said twice is written twice, where the check finds it", () => {
  const chain = { name: "a", steps: [] };
  const route = { name: "r", target: { $case: "chain", value: "a" } as const };
  const document = readResource(encode({ name: "twice", chains: [chain, chain], routes: [route, route] }));
  const checked = checkConfig([document], environment);
  expect("problems" in checked && checked.problems.map(({ code, path }) => [code, path])).toEqual([
    ["yaml-duplicate-key", "chains.a"],
    ["yaml-duplicate-key", "routes.r"],
  ]);
});

test.each<readonly [what: string, configuration: Configuration, code: string, path: string]>([
  ["a route without a target", { name: "a", routes: [{ name: "r" }] }, "wrong-type", "routes.r"],
  ["a chain without a name", { name: "a", chains: [{}] }, "yaml-unsupported", 'chains[""]'],
  ["a step without a policy", { name: "a", chains: [{ name: "a", steps: [{}] }] }, "missing-key", "chains.a.steps[0]"],
  [
    "a part of a millisecond",
    { name: "a", chains: [{ name: "a", steps: [{ policy: "gate@1", timeout: { seconds: 0n, nanos: 1 } }] }] },
    "invalid-quantity",
    "chains.a.steps[0].timeout",
  ],
])("%s is refused by the check", (_what, configuration, code, path) => {
  const checked = checkConfig([readResource(encode(configuration))], environment);
  expect("problems" in checked && checked.problems.map((problem) => [problem.code, problem.path])).toContainEqual([code, path]);
});

describe("what would be lost is refused", () => {
  const field = (number: number, content: Uint8Array): Uint8Array =>
    new BinaryWriter()
      .uint32((number << 3) | 2)
      .bytes(content)
      .finish();
  const bytes = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
  const named = field(1, Buffer.from("a"));
  const chain = (more: Uint8Array): Uint8Array => bytes(named, field(2, bytes(field(1, Buffer.from("c")), more)));

  test.each<readonly [string, Uint8Array, string]>([
    [
      "a field of a newer version",
      bytes(named, field(99, Buffer.from("protects"))),
      "field 99 of Configuration is not known to this engine",
    ],
    ["one of a chain", chain(field(50, Buffer.from("x"))), "field 50 of chains is not known"],
    ["one of a step", chain(field(7, field(40, Buffer.from("x")))), "field 40 of steps is not known"],
    ["one of a route", bytes(named, field(3, field(12, Buffer.from("x")))), "field 12 of routes is not known"],
    [
      "a field of another type",
      chain(Buffer.of((7 << 3) | 0, 1)),
      "field 7 of chains is not known to this engine, or has another type here",
    ],
    ["a mode that has no name here", encode({ name: "a", chains: [{ name: "c", steps: [{ onError: 7 as never }] }] }), ""],
    ["no name", encode({}), "a resource has no name"],
    [
      "a name that JavaScript keeps for itself",
      encode({ name: "a", chains: [{ name: "__proto__" }] }),
      "the name `__proto__` is not taken",
    ],
    [
      "text that is not UTF-8",
      field(1, Buffer.of(0xc3, 0x28)),
      "the bytes are no type.googleapis.com/policy_engine.config.v1.Configuration",
    ],
    ["bytes that end in the middle", encode({ name: "a", unmatched: "deny" }).subarray(0, -2), "the bytes are no "],
  ])("%s", (what, resource, message) => {
    if (what.startsWith("a mode")) {
      const checked = checkConfig([readResource(resource)], environment);
      expect(JSON.stringify(checked)).toContain("`FailureMode 7` is not one of: deny, skip");
    } else expect(() => readResource(resource)).toThrow(message);
  });

  test("any bytes are a document or refused with an error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
        try {
          expect(readResource(input).uri).toMatch(/^xds:/);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });
});
