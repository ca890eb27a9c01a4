import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createVerifiedTokens, type Remembered } from "../../../policies/lib/jwt/verified-tokens.ts";
import type { Issuer } from "../../../policies/lib/jwt/verify-token.ts";
import type { VerificationKey } from "../../../policies/lib/key-sets/verification-key.ts";

const skewSeconds = 10;

function setUp(limits: { readonly entriesMax: number; readonly bytesMax: number }) {
  let seconds = 1_000;
  const gone = new Set<VerificationKey>();
  const keys: readonly VerificationKey[] = [0, 1].map((index) => ({
    kid: String(index),
    identity: String(index),
    forAlgorithm: () => undefined,
  }));
  const issuer: Issuer = {
    issuer: "i",
    audiences: ["a"],
    clockSkewMs: skewSeconds * 1000,
    algorithms: new Set(),
    keys: { lookUp: () => ({ kind: "unknown", reason: "" }), holds: (key) => !gone.has(key), health: () => ({ ready: true, detail: "" }) },
  };
  const entry = (exp: number, key = 0, changes: { nbf?: number; iss?: string; aud?: readonly string[] } = {}): Remembered => {
    const verified = keys[key];
    if (verified === undefined) throw new Error("there are two keys");
    return { issuer, key: verified, judged: { iss: "i", aud: ["a"], exp, nbf: undefined, ...changes } };
  };
  return {
    tokens: createVerifiedTokens<Remembered>(limits, () => seconds * 1000),
    entry,
    pass: (more: number) => {
      seconds += more;
    },
    now: () => seconds,
    /** The key leaves the set, or comes back. */
    toggle: (index: number) => {
      const key = keys[index];
      if (key !== undefined && !gone.delete(key)) gone.add(key);
    },
    isGone: (index: number) => keys[index] === undefined || gone.has(keys[index]),
  };
}

type Action =
  | { readonly kind: "add"; readonly token: number; readonly goodFor: number; readonly key: number; readonly length: number }
  | { readonly kind: "find"; readonly token: number }
  | { readonly kind: "pass"; readonly seconds: number }
  | { readonly kind: "toggle"; readonly key: number };

const token = fc.nat({ max: 8 });
const key = fc.nat({ max: 1 });
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), token, goodFor: fc.integer({ min: -20, max: 60 }), key, length: fc.nat({ max: 300 }) }),
  fc.record({ kind: fc.constant("find" as const), token }),
  fc.record({ kind: fc.constant("pass" as const), seconds: fc.nat({ max: 20 }) }),
  fc.record({ kind: fc.constant("toggle" as const), key }),
);

describe("tokens that were verified", () => {
  test("are never more than the bounds allow, and never outlive their expiry or their key, whatever happens", () => {
    const limits = { entriesMax: 4, bytesMax: 4_000 };
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const { tokens, entry, pass, now, toggle, isGone } = setUp(limits);
        const added = new Map<number, { readonly text: string; readonly entry: Remembered; readonly exp: number; readonly key: number }>();
        for (const one of actions) {
          switch (one.kind) {
            case "add": {
              const text = `${one.token}.`.padEnd(one.length, "x");
              const exp = now() + one.goodFor;
              const made = entry(exp, one.key);
              added.set(one.token, { text, entry: made, exp, key: one.key });
              tokens.add(text, made);
              break;
            }
            case "find": {
              const known = added.get(one.token);
              if (known === undefined) break;
              const found = tokens.find(known.text);
              if (found === undefined) break;
              expect(found).toBe(known.entry);
              expect(now()).toBeLessThan(known.exp + skewSeconds);
              expect(isGone(known.key)).toBe(false);
              break;
            }
            case "pass":
              pass(one.seconds);
              break;
            case "toggle":
              toggle(one.key);
              break;
            default:
              one satisfies never;
          }
          expect(tokens.size.entries).toBeLessThanOrEqual(limits.entriesMax);
          expect(tokens.size.bytes).toBeLessThanOrEqual(limits.bytesMax);
          expect(tokens.size.entries === 0).toBe(tokens.size.bytes === 0);
        }
      }),
      { seed: 11, numRuns: 500 },
    );
  });

  test.each([
    ["one that was asked for is spared", "a", "d", "acd"],
    ["once", "a", "def", "def"],
    ["and of those that all were, the oldest is not", "abc", "d", "bcd"],
  ])("%s", (_what, asked, more, kept) => {
    const { tokens, entry } = setUp({ entriesMax: 3, bytesMax: 1_000_000 });
    for (const text of "abc") tokens.add(text, entry(2_000));
    for (const text of asked) expect(tokens.find(text)).toBeDefined();
    for (const text of more) tokens.add(text, entry(2_000));
    expect([..."abcdef"].filter((text) => tokens.find(text) !== undefined).join("")).toBe(kept);
  });

  test("long ones make room by their length", () => {
    const { tokens, entry } = setUp({ entriesMax: 100, bytesMax: 10_000 });
    for (let index = 0; index < 10; index++) tokens.add(`${index}`, entry(2_000));
    expect(tokens.size.entries).toBe(10);
    tokens.add("x".repeat(2_500), entry(2_000));
    expect(tokens.size.entries).toBeLessThan(5);
    expect(tokens.find("x".repeat(2_500))).toBeDefined();
    tokens.add("y".repeat(5_000), entry(2_000));
    expect(tokens.size).toEqual({ entries: 0, bytes: 0 });
  });

  test("adding one again counts it once", () => {
    const { tokens, entry } = setUp({ entriesMax: 100, bytesMax: 10_000 });
    tokens.add("a", entry(2_000));
    const once = tokens.size;
    tokens.add("a", entry(3_000));
    expect(tokens.size).toEqual(once);
    expect(tokens.find("a")?.judged.exp).toBe(3_000);
  });

  test.each<[string, Parameters<ReturnType<typeof setUp>["entry"]>[2], number]>([
    ["before its time has come, when the clock is set back", { nbf: 995 }, -20],
    ["of another issuer", { iss: "other" }, 0],
    ["for another audience", { aud: ["other"] }, 0],
  ])("one %s is not found", (_what, changes, passed) => {
    const { tokens, entry, pass } = setUp({ entriesMax: 10, bytesMax: 10_000 });
    tokens.add("good", entry(2_000));
    tokens.add("bad", entry(2_000, 0, changes));
    pass(passed);
    expect([tokens.find("good") !== undefined, tokens.find("bad") !== undefined]).toEqual([true, false]);
    // It is gone, not only passed over.
    expect(tokens.size.entries).toBe(1);
  });

  test("a key that has left the set makes its tokens be forgotten for good", () => {
    const { tokens, entry, toggle } = setUp({ entriesMax: 10, bytesMax: 10_000 });
    tokens.add("one", entry(2_000, 0));
    tokens.add("two", entry(2_000, 1));
    toggle(0);
    expect([tokens.find("one") !== undefined, tokens.find("two") !== undefined]).toEqual([false, true]);
    toggle(0);
    expect(tokens.find("one")).toBeUndefined();
  });
});
