/** What of the shared metadata goes to Envoy, whatever policies have put there. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProcessingResponse } from "../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import { createEngineMetadata } from "../../src/kernel/engine-metadata.ts";
import { unchanged, withDynamicMetadata } from "../../src/kernel/wire/encode.ts";
import { metadataPath } from "../conversations/engine-under-test.ts";

const plain = (text: string): string => text;

function told(paths: readonly string[], values: Readonly<Record<string, unknown>>, redact = plain): object {
  return createEngineMetadata(paths.map(metadataPath), redact)("id", { get: (key) => values[key] });
}

const auth = { method: "jwt", subject: "alice", scopes: ["a", "b"], claims: { tier: 1, admin: true, nothing: null, missing: undefined } };

describe("values are nested as their paths are", () => {
  test.for([
    [["auth.subject"], { auth: { subject: "alice" } }],
    [["auth.subject", "auth.scopes"], { auth: { subject: "alice", scopes: ["a", "b"] } }],
    [["auth.subject", "note", "auth.claims.tier"], { auth: { subject: "alice", claims: { tier: 1 } }, note: 0.5 }],
    [["auth.claims"], { auth: { claims: { tier: 1, admin: true, nothing: null } } }],
    [["auth.claims.missing", "auth.claims.other.deep", "auth.subject.length", "other"], {}],
    [["auth.constructor", "auth.claims.toString", "constructor"], {}],
  ] as const)("%s", ([paths, values]) => {
    expect(told(paths, { auth, note: 0.5, constructor: undefined })).toEqual({ decision_id: "id", ...values });
  });

  test("and without a chain there is the id alone", () => {
    expect(createEngineMetadata([metadataPath("auth")], plain)("id", undefined)).toEqual({ decision_id: "id" });
  });
});

describe("what cannot go is left out by name", () => {
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
  const unreadable = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error("not for you");
      },
    },
  );
  test.for([
    ["text that is too long", "x".repeat(1025)],
    ["many parts", Array.from({ length: 128 }, () => 1)],
    ["long names", { ["n".repeat(1024)]: "x" }],
    ["nested too deep", nested(8)],
    ["a function", () => {}],
    ["a date", new Date(0)],
    ["bytes", Uint8Array.of(1)],
    ["a map", new Map([["a", 1]])],
    ["no number", Number.NaN],
    ["no data inside of data", { a: [{ b: Symbol("b") }] }],
    ["what does not let itself be read", unreadable],
  ] as const)("%s", ([, value]) => {
    expect(told(["note", "auth.subject"], { auth, note: value })).toEqual({
      decision_id: "id",
      auth: { subject: "alice" },
      left_out: ["note"],
    });
  });

  test.for([
    ["text at the limit", "x".repeat(1024)],
    ["nested at the limit", nested(7)],
    ["a whole number larger than a double holds", 2n ** 60n, "1152921504606846976"],
  ] as const)("but %s goes", ([, value, as = value]) => {
    expect(told(["note"], { note: value })).toEqual({ decision_id: "id", note: as });
  });
});

test("secrets are taken out of texts and names", () => {
  const redact = (text: string): string => text.replaceAll("hush", "[redacted]");
  expect(told(["note"], { note: { "a-hush": ["hush", { b: "say hush" }] } }, redact)).toEqual({
    decision_id: "id",
    note: { "a-[redacted]": ["[redacted]", { b: "say [redacted]" }] },
  });
});

test("whatever is there, the answer keeps its meaning and stays small, and data arrives as it was", () => {
  const data = fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true, withNullPrototype: true, maxDepth: 4 });
  fc.assert(
    fc.property(fc.oneof(data, fc.jsonValue({ maxDepth: 4 })), (note) => {
      const record = createEngineMetadata([metadataPath("note")], plain)("id", { get: () => note });
      const message = ProcessingResponse.decode(withDynamicMetadata(unchanged["request-headers"], { "policy.engine": record }));
      expect(message.response?.$case).toBe("requestHeaders");
      const bytes = withDynamicMetadata(unchanged["request-headers"], { "policy.engine": record }).length;
      expect(bytes).toBeLessThan(3 * 1024);
      if ("left_out" in record || note === undefined || typeof note === "bigint") return;
      const arrived = message.dynamicMetadata?.["policy.engine"];
      expect(JSON.stringify(arrived)).toBe(JSON.stringify(wellFormed({ decision_id: "id", note })));
    }),
    { seed: 3, numRuns: 3000 },
  );
});

/** As protobuf has texts, and without what is not there. */
function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name.toWellFormed(), wellFormed(part)]));
}
