import { describe, expect, test } from "vitest";
import { type KeySetContext, openKeySet } from "../../../policies/lib/key-sets/key-set.ts";
import { waitFor } from "../../../scripts/processes/wait-for.ts";
import { testKey } from "../jwt/signing.ts";
import { keyOne, keyTwo, testIssuer, wanted } from "./issuer.ts";

const text = (...keys: readonly { readonly jwk: object }[]): string => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });

async function open(first: string) {
  const issuer = testIssuer();
  let change = (_content: Uint8Array): void => {};
  const context: KeySetContext = {
    ...issuer.context,
    file: async (_path, onChange) => {
      change = onChange;
      return Buffer.from(first);
    },
  };
  const keys = await openKeySet({ file: "keys.json", refreshSeconds: 300, staleSeconds: 3600 }, context);
  const until = (kid: typeof keyOne, kind: string) =>
    waitFor({ what: `${kid.kid} to be ${kind}`, timeoutMs: 2_000 }, async () =>
      (await keys.lookUp(wanted(kid))).kind === kind ? true : undefined,
    );
  return { keys, issuer, until, change: (content: string) => change(Buffer.from(content)) };
}

describe("keys in a file", () => {
  test("are there at once, and a change takes effect", async () => {
    const { keys, change, until } = await open(text(keyOne));
    expect(keys.lookUp(wanted(keyOne))).toMatchObject({ kind: "found" });
    expect(keys.lookUp(wanted(keyTwo))).toMatchObject({ kind: "unknown" });
    change(text(keyTwo));
    await until(keyTwo, "found");
    expect(keys.lookUp(wanted(keyOne))).toMatchObject({ kind: "unknown" });
  });

  test("a broken change keeps the last good state and is seen; a good one after it mends that", async () => {
    const { keys, change, issuer, until } = await open(text(keyOne));
    change('{"keys":[');
    await waitFor({ what: "the log", timeoutMs: 2_000 }, () => issuer.logged[0]);
    expect(issuer.logged).toEqual(["the changed key set cannot be used: the last good one stays"]);
    expect(keys.lookUp(wanted(keyOne))).toMatchObject({ kind: "found" });
    expect(keys.health()).toMatchObject({ ready: true, detail: "1 keys, from a file; its last change cannot be used: it is no JSON" });
    change(text(keyTwo, keyOne));
    await until(keyTwo, "found");
    expect(keys.health().detail).toBe("2 keys, from a file");
  });

  test("of changes that follow each other closely the last one counts, also when an earlier one takes longer to read", async () => {
    const { keys, change, until } = await open(text(keyOne));
    const { jwk } = testKey("rsa", "RS256", { alg: undefined });
    const slow = JSON.stringify({ keys: Array.from({ length: 90 }, (_, index) => ({ ...jwk, kid: `rsa-${index}` })) });
    change(slow);
    change("nonsense");
    change(text(keyTwo));
    await until(keyTwo, "found");
    // As long as reading the slow one takes, twice over.
    for (let count = 0; count < 2; count++)
      await openKeySet({ keys: JSON.parse(slow).keys, refreshSeconds: 300, staleSeconds: 3600 }, testIssuer().context);
    expect(keys.lookUp(wanted(keyTwo))).toMatchObject({ kind: "found" });
    expect(keys.health().detail).toBe("1 keys, from a file");
  });

  test("a change while the first state is still being read is not lost", async () => {
    const issuer = testIssuer();
    const context: KeySetContext = {
      ...issuer.context,
      file: async (_path, onChange) => {
        queueMicrotask(() => queueMicrotask(() => onChange(Buffer.from(text(keyTwo)))));
        return Buffer.from(text(keyOne));
      },
    };
    const keys = await openKeySet({ file: "keys.json", refreshSeconds: 300, staleSeconds: 3600 }, context);
    await waitFor({ what: "the new key", timeoutMs: 2_000 }, async () =>
      (await keys.lookUp(wanted(keyTwo))).kind === "found" ? true : undefined,
    );
    expect(keys.lookUp(wanted(keyOne))).toMatchObject({ kind: "unknown" });
  });

  test.each([
    ["no JSON", "<html>", "keys.json"],
    ["no keys", '{"keys":[]}', "no key that could verify"],
    ["no usable keys", '{"keys":[{"kty":"oct"}]}', "symmetric"],
    ["another document", "[]", "no list `keys`"],
  ])("%s: the configuration is refused", async (_what, content, why) => {
    await expect(open(content)).rejects.toThrow(why);
  });

  test("keys of other kinds are left out, for a file is often a copy of what an issuer publishes", async () => {
    const { keys, issuer } = await open(JSON.stringify({ keys: [{ ...keyTwo.jwk, use: "enc" }, keyOne.jwk] }));
    expect(keys.lookUp(wanted(keyOne))).toMatchObject({ kind: "found" });
    expect(issuer.logged).toEqual(["keys of the key set are not used"]);
  });
});
