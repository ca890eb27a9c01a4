import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { namesCredential } from "../../src/config/credential-names.ts";
import { bodyText, createRedaction, headerText, jsonText } from "../../src/worker/redaction.ts";
import { quickestMs } from "../support/quickest.ts";

const circular: Record<string, unknown> = {};
circular.self = circular;

const bytes = (text: string): Buffer => Buffer.from(text);

describe("names of credentials", () => {
  test.for([
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "x-partner-key",
    "api_key",
    "apikey",
    "access_token",
    "accessToken",
    "X-Auth-Token",
    "clientSecret",
    "password",
    "user.password",
    "session",
    "sessionId",
    "x-amz-security-token",
    "signature",
    "request.headers.authorization",
  ])("%s", (name) => expect(namesCredential(name)).toBe(true));

  test.for([
    "x-user",
    "accept",
    "content-type",
    "x-request-id",
    "author",
    "monkey",
    "keyboard",
    "path",
    "tokenize",
    "x-trace-level",
    "subject",
    "scopes",
  ])("not %s", (name) => expect(namesCredential(name)).toBe(false));
});

describe("what was met under such a name is found wherever it turns up", () => {
  const met: Readonly<Record<string, readonly [name: string, value: string, elsewhere: string]>> = {
    "a token without its scheme": ["authorization", "Bearer tok-123456", "sub tok-123456"],
    "a password of Basic": ["authorization", `Basic ${bytes("alice:secret-word").toString("base64")}`, "it was secret-word"],
    "one cookie of several": ["cookie", "theme=dark; session=abcdef-1", "abcdef-1"],
    "a cookie that is set": ["set-cookie", "id=abcdef-2; Path=/", "got abcdef-2"],
    "a parameter of the query": [":path", "/a?page=1&api_key=abcdef-3", "key abcdef-3"],
    "a parameter, decoded": [":path", "/a?token=abc%20def-4", "abc def-4"],
  };
  test.for(Object.entries(met))("%s", ([, [name, value, elsewhere]]) => {
    const redaction = createRedaction((text) => text);
    redaction.learn([{ name, value: bytes(value) }]);
    expect(redaction.text(elsewhere, 1024)).toContain("[redacted]");
    expect(redaction.text("theme dark, page 1, alice", 1024)).toBe("theme dark, page 1, alice");
  });

  test("a text is redacted before it is cut, so that no beginning of a credential is left", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 6, maxLength: 40 }).filter((text) => text.trim() === text),
        fc.nat(30),
        fc.nat(60),
        (secret, before, unitsMax) => {
          const redaction = createRedaction((text) => text.replaceAll(secret, "[redacted]"));
          const text = redaction.text(`${" ".repeat(before)}${secret}`, unitsMax);
          expect(text.replace(/…$/, "").trim()).toBe("[redacted]".slice(0, Math.max(0, unitsMax - before)).trim());
        },
      ),
      { seed: 9, numRuns: 200 },
    );
  });
});

describe("by name", () => {
  test.for<[string, string, string]>([
    ["authorization", "Bearer a", "[redacted]"],
    ["x-user", "alice", "alice"],
    [":path", "/a?api_key=a&page=2", "/a?api_key=[redacted]&page=2"],
  ])("header %s: %s", ([name, value, shown]) => expect(headerText(name, bytes(value))).toBe(shown));

  test.for<[unknown, string]>([
    [
      { subject: "a", claims: { access_token: "b", keys: ["c"] } },
      '{"subject":"a","claims":{"access_token":"[redacted]","keys":"[redacted]"}}',
    ],
    [{ authorization: { code: "readers" } }, '{"authorization":{"code":"readers"}}'],
    [undefined, "nothing"],
    [12n, "12"],
    [circular, "cannot be written as JSON"],
  ])("%o", ([value, text]) => expect(jsonText(value)).toBe(text));

  test.for<[string, string]>([
    ['{ "user": { "password": "a" } }', '{"user":{"password":"[redacted]"}} (31 bytes)'],
    ["user=a&password=b+c&x=1", "user=a&password=[redacted]&x=1 (23 bytes)"],
    ['{ "token": "a", broken', '{ "token": [redacted], broken (22 bytes)'],
    ["\0\u0001", "(2 bytes)"],
  ])("body %s", ([body, text]) => expect(bodyText(bytes(body))).toBe(text));
});

describe("what a client sends costs time in proportion", () => {
  const unitsMax = 60_000;
  const sent: Readonly<Record<string, readonly [name: string, value: string]>> = {
    "question marks": [":path", `/${"?".repeat(unitsMax)}`],
    "signs of equality": [":path", `/?${"=".repeat(unitsMax)}`],
    "names without values": [":path", `/?${"a&".repeat(unitsMax / 2)}`],
    "parameters that are credentials": [":path", `/?${"token=abcdef%41&".repeat(unitsMax / 16)}`],
    "a name as long as it gets": [":path", `/?${"-key".repeat(unitsMax / 4)}=a`],
    blanks: ["authorization", `a${" ".repeat(unitsMax)}`],
    words: ["authorization", "a ".repeat(unitsMax / 2)],
    "a scheme without an end": ["authorization", "a".repeat(unitsMax)],
    cookies: ["cookie", Array.from({ length: unitsMax / 20 }, (_, index) => `c${index}=${"v".repeat(10)}${index}`).join("; ")],
    semicolons: ["cookie", ";".repeat(unitsMax)],
    "blanks as a cookie": ["cookie", " ".repeat(unitsMax)],
    quotes: ["x-token", '"'.repeat(unitsMax)],
  };
  test.for(Object.entries(sent))("%s", ([, [name, value]]) => {
    const work = (): void => {
      const redaction = createRedaction((text) => text);
      redaction.learn([{ name, value: bytes(value) }]);
      redaction.text("no rule allows the request", 512);
      headerText(name, bytes(value));
    };
    // Some milliseconds; what is quadratic takes seconds.
    expect(quickestMs(work, 100)).toBeLessThan(100);
  });
});
