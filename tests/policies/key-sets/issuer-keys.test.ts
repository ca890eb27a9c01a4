import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type KeySet, openKeySet } from "../../../policies/lib/key-sets/key-set.ts";
import { waitFor } from "../../../scripts/processes/wait-for.ts";
import { certificateAuthority } from "../../support/certificates.ts";
import { testKey } from "../jwt/signing.ts";
import { keyOne, keyTwo, type TestIssuer, testIssuer, wanted } from "./issuer.ts";

const source = { uri: "https://login.example.com/keys", refreshSeconds: 300, staleSeconds: 3600 };
const minute = 60_000;

const open = (issuer: TestIssuer, changes: Partial<typeof source> = {}): Promise<KeySet> =>
  openKeySet({ ...source, ...changes }, issuer.context);

/** Opened, and the first fetch is over. */
async function opened(issuer: TestIssuer, changes: Partial<typeof source> = {}): Promise<KeySet> {
  issuer.publish(keyOne);
  const keys = await open(issuer, changes);
  await keys.lookUp(wanted(keyOne));
  return keys;
}

/** Moves the clock in steps and lets what each step has started come to its end. */
async function pass(issuer: TestIssuer, milliseconds: number, stepMs = 1_000): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += stepMs) {
    await issuer.clock.advance(Math.min(stepMs, milliseconds - passed));
    await answered(issuer);
  }
}

const answered = (issuer: TestIssuer): Promise<true> =>
  waitFor({ what: "the fetch to end", timeoutMs: 5_000 }, () => (issuer.asked.length === issuer.ended ? true : undefined));

const kindOf = async (keys: KeySet, key = keyOne): Promise<string> => (await keys.lookUp(wanted(key))).kind;
const unknownKey = (kid: string) => ({ kid, algorithm: "ES256" });

describe("the first keys", () => {
  test("opening does not wait for them, a look-up does", async () => {
    const issuer = testIssuer();
    const { promise, resolve } = Promise.withResolvers<Response>();
    issuer.answer(() => promise);
    const keys = await open(issuer);
    expect(keys.health()).toEqual({ ready: false, detail: "no keys yet" });
    const looking = keys.lookUp(wanted(keyOne));
    resolve(Response.json({ keys: [keyOne.jwk] }));
    expect(await looking).toMatchObject({ kind: "found", keys: [{ kid: "one" }] });
    expect(keys.health()).toEqual({ ready: true, detail: "1 keys, 0 s old", ageSeconds: 0 });
  });

  test("look-ups at the same time ask once", async () => {
    const issuer = testIssuer();
    issuer.publish(keyOne);
    const keys = await open(issuer);
    const found = await Promise.all(Array.from({ length: 100 }, () => keys.lookUp(wanted(keyOne))));
    expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(["found"]));
    expect(issuer.asked).toHaveLength(1);
  });

  test("are asked for with a limit of size, and with the CA that vouches for the issuer", async () => {
    const issuer = testIssuer();
    await opened(issuer);
    expect(issuer.lastInit).toEqual({ headers: { accept: "application/jwk-set+json, application/json" }, bodyBytesMax: 512 * 1024 });
    const { pem: ca } = certificateAuthority("private");
    await openKeySet({ ...source, ca }, issuer.context);
    expect(issuer.lastInit).toMatchObject({ ca });
  });

  test("once they are there, a look-up is no promise", async () => {
    const keys = await opened(testIssuer());
    expect(keys.lookUp(wanted(keyOne))).toMatchObject({ kind: "found" });
  });

  test("an issuer that hangs does not make a request wait longer than 750 ms", async () => {
    const issuer = testIssuer();
    issuer.answer(() => new Promise(() => {}));
    const keys = await open(issuer);
    let answer: unknown;
    void Promise.resolve(keys.lookUp(wanted(keyOne))).then((found) => {
      answer = found;
    });
    await issuer.clock.advance(749);
    expect(answer).toBeUndefined();
    await issuer.clock.advance(1);
    expect(answer).toMatchObject({ kind: "not-ready", retryAfterSeconds: 1 });
  });

  test("requests that come later wait as long, and each of them no longer", async () => {
    const issuer = testIssuer();
    issuer.answer(() => new Promise(() => {}));
    const keys = await open(issuer);
    const given: number[] = [];
    for (let sent = 0; sent < 5; sent++) {
      const at = sent * 100;
      void Promise.resolve(keys.lookUp(wanted(keyOne))).then(() => given.push(at));
      await issuer.clock.advance(100);
    }
    await issuer.clock.advance(249);
    expect(given).toEqual([]);
    await issuer.clock.advance(1);
    expect(given).toEqual([0]);
    await issuer.clock.advance(150);
    expect(given).toEqual([0, 100]);
    await issuer.clock.advance(1_000);
    expect(given).toEqual([0, 100, 200, 300, 400]);
  });

  test("a clock that is set back makes nobody wait longer", async () => {
    const issuer = testIssuer();
    issuer.answer(() => new Promise(() => {}));
    const keys = await open(issuer);
    let given = 0;
    const look = () => void Promise.resolve(keys.lookUp(wanted(keyOne))).then(() => given++);
    look();
    issuer.clock.jump(-3_600_000);
    look();
    await issuer.clock.advance(1_500);
    expect(given).toBe(2);
  });

  test("while the issuer is away it is not ready, at once, and says when it may be", async () => {
    const issuer = testIssuer(1);
    const keys = await open(issuer);
    await answered(issuer);
    await pass(issuer, 3_000);
    expect(issuer.asked).toEqual([0, 1_000, 3_000]);
    expect(keys.lookUp(wanted(keyOne))).toEqual({
      kind: "not-ready",
      retryAfterSeconds: 4,
      reason: "no keys yet; 3 refreshes in a row failed, the last with: nobody is there",
    });
    expect(issuer.asked).toHaveLength(3);
    expect(keys.health().ready).toBe(false);
  });

  test("it is asked again after 1, 2, 4 ... 60 s, and it recovers by itself", async () => {
    const issuer = testIssuer(1);
    const keys = await open(issuer);
    await answered(issuer);
    await pass(issuer, 190_000);
    expect(issuer.asked.map((at) => at / 1000)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
    issuer.publish(keyOne);
    await pass(issuer, 60_000);
    expect(await kindOf(keys)).toBe("found");
    expect(issuer.logged.at(-1)).toBe("the issuer's keys can be fetched again");
    expect(keys.health().detail).toMatch(/^1 keys, \d+ s old$/);
    // All is as before: what is not there is asked for at once.
    issuer.publish(keyTwo);
    expect(await kindOf(keys, keyTwo)).toBe("found");
  });

  test("and never later than the keys would be refreshed anyhow", async () => {
    const issuer = testIssuer(1);
    await open(issuer, { refreshSeconds: 10 });
    await answered(issuer);
    await pass(issuer, 46_000);
    expect(issuer.asked.map((at) => at / 1000)).toEqual([0, 1, 3, 7, 15, 25, 35, 45]);
  });

  test("chance shortens the waits by up to a half", async () => {
    const issuer = testIssuer(0);
    await open(issuer);
    await answered(issuer);
    await pass(issuer, 8_000, 500);
    expect(issuer.asked.map((at) => at / 1000)).toEqual([0, 0.5, 1.5, 3.5, 7.5]);
  });
});

describe("refreshes", () => {
  test.each([
    [0, 270],
    [1, 300],
  ])("in the background before the keys are too old, spread by chance %d", async (random, seconds) => {
    const issuer = testIssuer(random);
    const keys = await opened(issuer);
    await pass(issuer, (seconds - 1) * 1000, minute);
    expect(issuer.asked).toEqual([0]);
    await pass(issuer, 2_000);
    expect(issuer.asked).toEqual([0, seconds * 1000]);
    expect(keys.health()).toMatchObject({ ready: true, ageSeconds: 1 });
  });

  test("an unchanged key stays the same, one that has left the set is not held any more", async () => {
    const issuer = testIssuer();
    issuer.publish(keyOne, keyTwo);
    const keys = await open(issuer);
    const found = [await keys.lookUp(wanted(keyOne)), await keys.lookUp(wanted(keyTwo))];
    const [one, two] = found.flatMap((each) => (each.kind === "found" ? each.keys : []));
    if (one === undefined || two === undefined) throw new Error("both are there");
    issuer.publish(keyTwo);
    await pass(issuer, 5 * minute, minute);
    expect([keys.holds(one), keys.holds(two)]).toEqual([false, true]);
    expect(await keys.lookUp(wanted(keyTwo))).toEqual({ kind: "found", keys: [two] });
    expect(await kindOf(keys, keyOne)).toBe("unknown");
  });

  test("a key whose algorithm has changed is another one", async () => {
    const issuer = testIssuer();
    const rsa = testKey("rsa", "RS256");
    issuer.publish(rsa);
    const keys = await open(issuer);
    expect(await kindOf(keys, rsa)).toBe("found");
    issuer.publish({ ...rsa, jwk: { ...rsa.jwk, alg: "PS256" } });
    await pass(issuer, 5 * minute, minute);
    expect([await kindOf(keys, rsa), await kindOf(keys, { ...rsa, algorithm: "PS256" })]).toEqual(["unknown", "found"]);
  });

  test("while the issuer is away the keys stay, until they are too old; when it is back all is well again", async () => {
    const issuer = testIssuer(1);
    const keys = await opened(issuer);
    const found = await keys.lookUp(wanted(keyOne));
    const [key] = found.kind === "found" ? found.keys : [];
    if (key === undefined) throw new Error("it is there");
    issuer.answer(() => Promise.reject(new Error("away")));
    await pass(issuer, 3_599_000, minute);
    expect(keys.lookUp(wanted(keyOne))).toMatchObject({ kind: "found" });
    expect([keys.holds(key), keys.health()]).toEqual([
      true,
      expect.objectContaining({ ready: true, detail: expect.stringContaining("the last with: away") }),
    ]);
    await pass(issuer, 1_000);
    expect(keys.lookUp(wanted(keyOne))).toMatchObject({ kind: "not-ready" });
    expect([keys.holds(key), keys.health()]).toEqual([
      false,
      expect.objectContaining({ ready: false, detail: expect.stringContaining("too old to be used") }),
    ]);
    issuer.publish(keyOne);
    await pass(issuer, minute);
    expect([keys.holds(key), keys.health().ready]).toEqual([true, true]);
  });

  test("a machine that has slept past the bound asks before it refuses", async () => {
    const issuer = testIssuer();
    const keys = await opened(issuer);
    issuer.clock.jump(86_400_000);
    expect(await kindOf(keys)).toBe("found");
    expect(issuer.asked).toHaveLength(2);
  });

  test.each([
    ["a status that is not 200", async () => Response.json({ keys: [keyTwo.jwk] }, { status: 500 })],
    ["a page", async () => new Response("<html>")],
    ["no key set", async () => Response.json([keyTwo.jwk])],
    ["no keys", async () => Response.json({ keys: [] })],
    ["no usable keys", async () => Response.json({ keys: [{ kty: "oct", k: "AAAA" }] })],
    ["too many keys", async () => Response.json({ keys: Array.from({ length: 101 }, () => keyTwo.jwk) })],
    ["too much", async () => Response.json({ keys: [keyTwo.jwk], filler: "x".repeat(512 * 1024) })],
    ["a body that breaks off", async () => new Response(new ReadableStream({ start: (stream) => stream.error(new Error("broken")) }))],
  ])("%s changes nothing and counts as a failure", async (_what, answer) => {
    const issuer = testIssuer();
    const keys = await opened(issuer);
    issuer.answer(answer);
    await pass(issuer, 5 * minute, minute);
    expect(issuer.logged).toContain("the issuer's keys could not be fetched");
    expect(keys.health().detail).toContain("in a row failed");
    expect([await kindOf(keys, keyOne), await kindOf(keys, keyTwo)]).toEqual(["found", "unknown"]);
  });

  test("keys that cannot be used are left out, and the log says so once", async () => {
    const issuer = testIssuer();
    issuer.answer(async () => Response.json({ keys: [{ kty: "XX" }, keyOne.jwk, "no key", { ...keyTwo.jwk, use: "enc" }] }));
    const keys = await open(issuer);
    expect(await kindOf(keys)).toBe("found");
    await pass(issuer, 20 * minute, minute);
    expect(issuer.asked.length).toBeGreaterThan(3);
    expect(issuer.logged).toEqual(["keys of the issuer are not used"]);
  });
});

describe("sources that would deny good tokens are refused when the configuration is loaded", () => {
  test.each([
    ["keys that are too old before they are fetched again", { refreshSeconds: 300, staleSeconds: 60 }, "`jwks.staleSeconds` (60)"],
    ["keys that are too old as soon as they are fetched again", { refreshSeconds: 60, staleSeconds: 60 }, "`jwks.staleSeconds` (60)"],
    ["a port that does not exist", { uri: "https://a:99999/keys?secret" }, "`jwks.uri` is no address"],
    ["a host that is none", { uri: "https://[::1/keys?secret" }, "`jwks.uri` is no address"],
  ])("%s", async (_what, changes, message) => {
    const issuer = testIssuer();
    const error = await open(issuer, changes).catch((thrown: unknown) => String(thrown));
    expect(error).toContain(message);
    expect(error).not.toContain("secret");
    expect(issuer.asked).toEqual([]);
  });
});

describe("a key that is not there", () => {
  test("but which the issuer has just begun to use works at once, with one question", async () => {
    const issuer = testIssuer();
    const keys = await opened(issuer);
    issuer.publish(keyTwo, keyOne);
    const found = await Promise.all(Array.from({ length: 50 }, () => keys.lookUp(wanted(keyTwo))));
    expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(["found"]));
    expect(issuer.asked).toHaveLength(2);
    expect(keys.lookUp(wanted(keyOne))).toMatchObject({ kind: "found" });
  });

  test("asked for on demand puts off the next refresh", async () => {
    const issuer = testIssuer(1);
    const keys = await opened(issuer);
    await pass(issuer, 100_000, minute);
    issuer.publish(keyTwo, keyOne);
    expect(await kindOf(keys, keyTwo)).toBe("found");
    await pass(issuer, 299_000, minute);
    await pass(issuer, 1_000);
    expect(issuer.asked).toEqual([0, 100_000, 400_000]);
  });

  test("is looked for again when the fetch under way had begun before", async () => {
    const issuer = testIssuer(1);
    const keys = await opened(issuer);
    const { promise, resolve } = Promise.withResolvers<Response>();
    issuer.answer(() => promise);
    await issuer.clock.advance(5 * minute);
    expect(issuer.asked).toHaveLength(2);
    const looking = keys.lookUp(wanted(keyTwo));
    issuer.publish(keyTwo, keyOne);
    resolve(Response.json({ keys: [keyOne.jwk] }));
    expect(await looking).toMatchObject({ kind: "found" });
    expect(issuer.asked).toHaveLength(3);
  });

  test("and that somebody else asked for before it was published works within 10 s", async () => {
    const issuer = testIssuer();
    const keys = await opened(issuer);
    for (let second = 0; second < 35; second++) {
      await keys.lookUp(wanted(keyTwo));
      await pass(issuer, 1_000);
    }
    issuer.publish(keyTwo, keyOne);
    let waited = 0;
    for (; (await kindOf(keys, keyTwo)) !== "found" && waited < 60; waited++) await pass(issuer, 1_000);
    expect(waited).toBeLessThanOrEqual(10);
    // One kid is not asked for more often than the budget is filled up, so it does not use it up.
    expect(await kindOf(keys, testKey("another", "ES256"))).toBe("unknown");
    issuer.publish(testKey("third", "ES256"), keyTwo);
    expect((await keys.lookUp(unknownKey("third"))).kind).toBe("found");
  });

  test("is not asked for again for 10 s when the issuer does not have it", async () => {
    const issuer = testIssuer();
    const keys = await opened(issuer);
    expect(await kindOf(keys, keyTwo)).toBe("unknown");
    await pass(issuer, 9_000);
    expect(keys.lookUp(wanted(keyTwo))).toMatchObject({ kind: "unknown" });
    expect(issuer.asked).toHaveLength(2);
    await pass(issuer, 2_000);
    expect(await kindOf(keys, keyTwo)).toBe("unknown");
    expect(issuer.asked).toHaveLength(3);
  });

  test("is not asked for again after a fetch that was under way", async () => {
    const issuer = testIssuer(1);
    const keys = await opened(issuer);
    await pass(issuer, 290_000, minute);
    expect(await kindOf(keys, keyTwo)).toBe("unknown");
    const { promise, resolve } = Promise.withResolvers<Response>();
    issuer.answer(() => promise);
    const asking = keys.lookUp({ kid: "another", algorithm: "ES256" });
    const looking = keys.lookUp(wanted(keyTwo));
    resolve(Response.json({ keys: [keyOne.jwk] }));
    expect([await asking, await looking]).toMatchObject([{ kind: "unknown" }, { kind: "unknown" }]);
    expect(issuer.asked).toEqual([0, 290_000, 290_000]);
  });

  test("is asked for again when the issuer could not answer the first time", async () => {
    const issuer = testIssuer(1);
    const keys = await opened(issuer);
    issuer.answer(() => Promise.reject(new Error("away")));
    expect(await kindOf(keys, keyTwo)).toBe("unknown");
    issuer.publish(keyOne);
    await pass(issuer, 1_000);
    issuer.publish(keyOne, keyTwo);
    expect(await kindOf(keys, keyTwo)).toBe("found");
  });

  test("makes nobody ask an issuer that does not answer", async () => {
    const issuer = testIssuer(1);
    const keys = await opened(issuer);
    issuer.answer(() => Promise.reject(new Error("away")));
    await pass(issuer, 5 * minute, minute);
    const before = issuer.asked.length;
    expect(before).toBeGreaterThan(1);
    for (let index = 0; index < 100; index++) expect(keys.lookUp(unknownKey(`k${index}`))).toMatchObject({ kind: "unknown" });
    expect(issuer.asked).toHaveLength(before);
  });

  test("is refused after 750 ms when the issuer hangs, and known keys are found all the while", async () => {
    const issuer = testIssuer();
    const keys = await opened(issuer);
    issuer.answer(() => new Promise(() => {}));
    let answer: unknown;
    void Promise.resolve(keys.lookUp(wanted(keyTwo))).then((found) => {
      answer = found;
    });
    await issuer.clock.advance(749);
    expect([answer, keys.lookUp(wanted(keyOne))]).toMatchObject([undefined, { kind: "found" }]);
    await issuer.clock.advance(1);
    expect(answer).toMatchObject({ kind: "unknown" });
  });

  test("a flood of them asks 5 times, then once every 10 s, and a new key still works within 10 s", async () => {
    const issuer = testIssuer();
    const keys = await opened(issuer);
    let sent = 0;
    for (let second = 0; second < 60; second++) {
      await Promise.all(Array.from({ length: 50 }, () => keys.lookUp(unknownKey(`flood-${sent++}`))));
      await pass(issuer, 1_000);
    }
    expect(sent).toBe(3_000);
    // One at the start, the burst, and one every 10 s.
    expect(issuer.asked.length).toBeLessThanOrEqual(1 + 5 + 6);
    expect(issuer.asked.length).toBeGreaterThan(5);

    issuer.publish(keyTwo, keyOne);
    let waited = 0;
    for (; (await kindOf(keys, keyTwo)) !== "found" && waited < 60; waited++) {
      await Promise.all(Array.from({ length: 50 }, () => keys.lookUp(unknownKey(`flood-${sent++}`))));
      await pass(issuer, 1_000);
    }
    expect(waited).toBeLessThanOrEqual(10);
  });

  test("whatever strangers ask for, the issuer is asked a bounded number of times", async () => {
    const step = fc.record({ kid: fc.nat({ max: 30 }), pauseMs: fc.nat({ max: 4_000 }), down: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const issuer = testIssuer(0);
        const keys = await opened(issuer, { refreshSeconds: 86_400, staleSeconds: 604_800 });
        let passed = 0;
        const failuresOf = (): number => issuer.logged.filter((line) => line.endsWith("could not be fetched")).length;
        for (const { kid, pauseMs, down } of steps) {
          if (down) issuer.answer(() => Promise.reject(new Error("away")));
          else issuer.publish(keyOne);
          await keys.lookUp(unknownKey(`k${kid}`));
          await issuer.clock.advance(pauseMs);
          await answered(issuer);
          passed += pauseMs;
        }
        // Each failure is answered with a retry after half a second or more: those are the engine's own.
        expect(issuer.asked.length).toBeLessThanOrEqual(1 + 5 + passed / 10_000 + failuresOf());
      }),
      { seed: 5, numRuns: 40 },
    );
  });
});
