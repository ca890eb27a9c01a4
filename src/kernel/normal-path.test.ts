import { expect, test } from "vitest";
import { HeaderLines } from "../worker/received-headers.ts";
import { isNormalPath } from "./normal-path.ts";

const request = (method: string, target: string | undefined): HeaderLines =>
  new HeaderLines([
    { name: ":method", value: Buffer.from(method) },
    ...(target === undefined ? [] : [{ name: ":path", value: Buffer.from(target) }]),
  ]);

const normal = [
  ...["/", "/a", "/a/", "/a/b.c", "/a..b", "/...", "/.well-known/x", "/a;v=1/b", "/a:b@c!$&'()*+,=~_-", "/caf%C3%A9", "/a%20b", "/100%25"],
  ...["/a%3Bb", "/a%2Cb", "/a?", "/a?//", "/a?b=../c", "/a?b=%2f%5c\\#%61", "/a?b?c"],
];
const ambiguous = [
  ...["", "a", "?a", "http://example.com/a", "*", "//", "//a", "/a//b", "/a/.", "/a/./b", "/.", "/..", "/a/..", "/../a", "/a/../b?c"],
  ...["/a/..;/b", "/a/..;x=1/b", "/a/.;x", "/a/%2e%2e/b", "/a/%2E./b", "/a/.%2e", "/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/a#b", "/a%00b"],
  // RFC 3986 6.2.2.2: the same resource as `/admin`, `/~a`, `/a-b`, `/a_b`, `/a.b`, `/a1`.
  ...["/%61dmin", "/%41dmin", "/%7Ea", "/%7ea", "/a%2Db", "/a%5Fb", "/a%2eb", "/a%31"],
  // Another writing of `/caf%C3%A9`, and bytes that are no text.
  ...["/caf\u00e9", "/caf\u00c3\u00a9", "/\u012f", "/a b", "/a\u0000b", "/a\tb", "/a\u007fb", "/a\n"],
];

test.for(normal)("%j is in normal form", (target) => {
  expect(isNormalPath(request("GET", target))).toBe(true);
});

test.for(ambiguous)("%j is not", (target) => {
  expect(isNormalPath(request("GET", target))).toBe(false);
});

test.for<[string, string | undefined, boolean]>([
  ["OPTIONS", "*", true],
  ["OPTIONS", "*?a", false],
  ["OPTIONS", undefined, false],
  ["CONNECT", undefined, true],
  ["CONNECT", "/a", true],
  ["CONNECT", "*", false],
  ["GET", undefined, false],
])("%s %s", ([method, target, expected]) => {
  expect(isNormalPath(request(method, target))).toBe(expected);
});
