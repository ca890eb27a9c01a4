/**
 * Expressions with everything that is found wrong in them, in the scope of `fixture.ts`: code, offsets of start and end, and how to mend it.
 * The result is to be a bool where nothing else is said.
 */
import type { ExpressionProblem, ResultType } from "../../src/expressions/expression.ts";

export interface Fault {
  readonly text: string;
  readonly result?: ResultType;
  readonly problems: readonly (readonly [code: ExpressionProblem["code"], start: number, end: number, remedy: string])[];
}

export const faults: readonly Fault[] = [
  {
    text: 'reqest.path == "/"',
    problems: [["unknown-name", 0, 6, "did you mean `request`?"]],
  },
  {
    text: 'requests == "/"',
    problems: [["unknown-name", 0, 8, "did you mean `request`?"]],
  },
  {
    text: "zebra",
    problems: [["unknown-name", 0, 5, "use one of: request, source, route, metadata, response"]],
  },
  {
    text: 'request.pth == "/"',
    problems: [["unknown-name", 8, 11, "did you mean `path`?"]],
  },
  {
    text: 'request.zebra == "/"',
    problems: [["unknown-name", 8, 13, "use one of: method, path, headers, time, json, body"]],
  },
  {
    text: 'request.__proto__ == "/"',
    problems: [["unknown-name", 8, 17, "use one of: method, path, headers, time, json, body"]],
  },
  {
    text: 'constructor == "/"',
    problems: [["unknown-name", 0, 11, "use one of: request, source, route, metadata, response"]],
  },
  {
    text: 'request["pth"] == "/"',
    problems: [["unknown-name", 8, 13, "did you mean `path`?"]],
  },
  {
    text: 'metadata.auth.subjekt == "anna"',
    problems: [["unknown-name", 14, 21, "did you mean `subject`?"]],
  },
  {
    text: "metadata.other.x == 1",
    problems: [["unknown-name", 9, 14, "use one of: auth, quota, rate-limit, constructor, ports, users"]],
  },
  {
    text: 'request.path.startWith("/")',
    problems: [["unknown-name", 13, 22, "did you mean `startsWith`?"]],
  },
  {
    text: 'startsWith(request.path, "/")',
    problems: [["unknown-name", 0, 10, "write it behind its subject: `x.startsWith(...)`"]],
  },
  {
    text: '"5".int() == 5',
    problems: [["unknown-name", 4, 7, "write it around its subject: `int(...)`"]],
  },
  {
    text: "len(request.path) == 5",
    problems: [["unknown-name", 0, 3, "use one of: has, size, dyn, string, bool, int, double, timestamp, duration"]],
  },
  {
    text: 'request.headers["x-tier"] == "gold"',
    problems: [["may-be-missing", 0, 25, 'write `request.headers[?"x-tier"].orValue("")`']],
  },
  {
    text: "request.headers['x-tier'] == \"gold\"",
    problems: [["may-be-missing", 0, 25, "write `request.headers[?'x-tier'].orValue(\"\")`"]],
  },
  {
    text: 'request.headers.host == "a"',
    problems: [["may-be-missing", 0, 20, 'write `request.headers.?host.orValue("")`']],
  },
  {
    text: 'request.headers[request.path] == "a"',
    problems: [["may-be-missing", 0, 29, 'write `request.headers[?request.path].orValue("")`']],
  },
  {
    text: 'metadata.auth.scopes == ["a"]',
    problems: [["may-be-missing", 0, 20, "write `metadata.auth.?scopes.orValue([])`"]],
  },
  {
    text: 'metadata.auth.scopes[0] == "a"',
    problems: [["may-be-missing", 0, 20, 'write `metadata.auth.?scopes[?0].orValue("")`']],
  },
  {
    text: "metadata.quota.left > 3",
    problems: [["may-be-missing", 0, 14, "write `metadata.?quota.left.orValue(0)`"]],
  },
  {
    text: "metadata.quota.share > 3.0",
    problems: [["may-be-missing", 0, 14, "write `metadata.?quota.?share.orValue(0.0)`"]],
  },
  {
    text: "metadata.quota == 1",
    problems: [["may-be-missing", 0, 14, "write `metadata.?quota` and go on to one of its fields, or ask `has(metadata.quota)`"]],
  },
  {
    text: 'metadata.auth.claims["role"].name == "x"',
    problems: [["may-be-missing", 0, 20, 'write `metadata.auth.?claims[?"role"].?name.orValue("")`']],
  },
  {
    text: "request.json.a.b == 1",
    problems: [["may-be-missing", 0, 14, 'write `request.json.?a.?b.orValue("")`']],
  },
  {
    text: "request.json[0] == 1",
    problems: [["may-be-missing", 0, 15, 'write `request.json[?0].orValue("")`']],
  },
  {
    text: "[1, 2][0] == 1",
    problems: [["may-be-missing", 0, 9, "write `[1, 2][?0].orValue(0)`"]],
  },
  {
    text: '{"a": 1}["a"] == 1',
    problems: [["may-be-missing", 0, 13, 'write `{"a": 1}[?"a"].orValue(0)`']],
  },
  {
    text: 'request.path.split("/")[1] == "api"',
    problems: [["may-be-missing", 0, 26, 'write `request.path.split("/")[?1].orValue("")`']],
  },
  {
    text: '(request.path + "/x").split("/")[1] == "api"',
    problems: [["may-be-missing", 1, 35, 'write `(request.path + "/x").split("/")[?1].orValue("")`']],
  },
  {
    text: 'metadata.?auth.scopes.value() == ["a"]',
    problems: [["may-be-missing", 0, 29, "write `metadata.?auth.scopes.orValue([])`"]],
  },
  {
    text: "has(metadata.quota.left)",
    problems: [["may-be-missing", 4, 18, "write `has(metadata.?quota.left)`"]],
  },
  {
    text: "metadata.ports.exists(p, p == 80)",
    problems: [["may-be-missing", 0, 14, "write `metadata.?ports.orValue([])`"]],
  },
  {
    text: "metadata.?users.orValue([]).exists(u, u.age > 40)",
    problems: [["may-be-missing", 38, 43, "write `u.?age.orValue(0)`"]],
  },
  {
    text: "metadata.?users.orValue([]).exists(u, u.agee == 1)",
    problems: [["unknown-name", 40, 44, "did you mean `age`?"]],
  },
  {
    text: 'request.json.?users.orValue([]).all(u, u.name == "a")',
    problems: [["may-be-missing", 39, 45, 'write `u.?name.orValue("")`']],
  },
  {
    text: 'request.headers["x-user"]',
    result: "string",
    problems: [["may-be-missing", 0, 25, 'write `request.headers[?"x-user"].orValue("")`']],
  },
  {
    text: 'request.headers[?"X-Tier"].orValue("") == "gold"',
    problems: [["upper-case-key", 17, 25, 'write `"x-tier"`']],
  },
  {
    text: 'request.headers["X-Tier"] == "gold"',
    problems: [
      ["may-be-missing", 0, 25, 'write `request.headers[?"x-tier"].orValue("")`'],
      ["upper-case-key", 16, 24, 'write `"x-tier"`'],
    ],
  },
  {
    text: '"X-Tier" in request.headers',
    problems: [["upper-case-key", 0, 8, 'write `"x-tier"`']],
  },
  {
    text: "has(request.headers.Host)",
    problems: [["upper-case-key", 20, 24, "write `host`"]],
  },
  {
    text: 'route.metadata[request.path] == "a"',
    problems: [["cost", 0, 28, 'write the key out, as in `route.metadata[?"key"].orValue("")`']],
  },
  {
    text: "size(route.metadata) == 1",
    problems: [["cost", 5, 19, 'write the key out, as in `route.metadata[?"key"].orValue("")`']],
  },
  {
    text: 'route.metadata.exists(k, k == "a")',
    problems: [["cost", 0, 14, 'write the key out, as in `route.metadata[?"key"].orValue("")`']],
  },
  {
    text: "request.path in route.metadata",
    problems: [["cost", 16, 30, 'write the key out, as in `route.metadata[?"key"].orValue("")`']],
  },
  {
    text: "request.body == 1",
    problems: [["unavailable", 0, 12, "take `request.body` out of this expression"]],
  },
  {
    text: "has(request.body)",
    problems: [["unavailable", 4, 16, "take `request.body` out of this expression"]],
  },
  {
    text: "metadata.?auth.?scopes.orValue([]).exists(a, metadata.?ports.orValue([]).exists(b, size(a) == b))",
    problems: [
      [
        "cost",
        45,
        96,
        "a list of unknown length counts as 1000 rounds and all loops together may take 100000: write out the inner list, or split the expression",
      ],
    ],
  },
  {
    text: 'request.headers.all(a, a in request.path.split(","))',
    problems: [
      [
        "cost",
        23,
        51,
        "a list of unknown length counts as 1000 rounds and all loops together may take 100000: write out the inner list, or split the expression",
      ],
    ],
  },
  {
    text: 'request.path.matches("^/(?=a)")',
    problems: [["pattern", 21, 30, "RE2 has no lookahead or lookbehind: state the conditions as two patterns"]],
  },
  {
    text: 'request.path.matches("(a)\\\\1")',
    problems: [["pattern", 21, 29, "RE2 has no backreferences: write the text out, or compare in two steps"]],
  },
  {
    text: 'request.path.matches("[")',
    problems: [["pattern", 21, 24, "correct the pattern; its syntax is at https://github.com/google/re2/wiki/Syntax"]],
  },
  {
    text: 'request.path.matches("a{1001}")',
    problems: [["pattern", 21, 30, "repeat at most 1000 times"]],
  },
  {
    text: 'request.path.matches("\\\\u0041")',
    problems: [["pattern", 21, 30, "write the character itself, or its code as in `\\x{1F600}`"]],
  },
  {
    text: "request.path.matches(request.method)",
    problems: [["pattern", 21, 35, 'write `x.matches("^pattern$")`']],
  },
  {
    text: 'request.path.matches("a" + "b")',
    problems: [["pattern", 21, 30, 'write `x.matches("^pattern$")`']],
  },
  {
    text: 'request.path + 1 == "a"',
    problems: [["type", 0, 16, "convert the other side with `string(...)`"]],
  },
  {
    text: 'response.status == "500"',
    problems: [["type", 0, 24, "convert one side, for example with `int(...)` or `string(...)`"]],
  },
  {
    text: "response.status == 500.0",
    problems: [["type", 0, 24, "convert one side with `int(...)` or `double(...)`; a double is written with a point, as in `1.0`"]],
  },
  {
    text: "response.status + 1.5 > 2.0",
    problems: [["type", 0, 21, "convert one side with `int(...)` or `double(...)`; a double is written with a point, as in `1.0`"]],
  },
  {
    text: 'response.status > "a"',
    problems: [["type", 0, 21, "convert one side, for example with `int(...)` or `string(...)`"]],
  },
  {
    text: "request.path == request",
    problems: [["type", 0, 23, "name a field of the record"]],
  },
  {
    text: 'request.headers[?"x-tier"] == "gold"',
    problems: [["type", 0, 26, 'write `request.headers[?"x-tier"].orValue("")`']],
  },
  {
    text: 'metadata.auth.?scopes.exists(s, s == "a")',
    problems: [["type", 0, 21, "write `metadata.auth.?scopes.orValue([])`"]],
  },
  {
    text: 'request.path.orValue("") == "a"',
    problems: [["type", 0, 24, "write `request.path` alone"]],
  },
  {
    text: 'request.headers[?"x-tier"].orValue(1) == "gold"',
    problems: [["type", 35, 36, "give a value of type string"]],
  },
  {
    text: "request.path && true",
    problems: [["type", 0, 12, "compare it with a value"]],
  },
  {
    text: "!request.path",
    problems: [["type", 1, 13, "compare it with a value"]],
  },
  {
    text: '-request.path == "a"',
    problems: [["type", 0, 13, "negate an int or a double"]],
  },
  {
    text: "request.path ? true : false",
    problems: [["type", 0, 12, "compare it with a value"]],
  },
  {
    text: 'true ? 1 : "a"',
    problems: [["type", 0, 14, "give both the same type"]],
  },
  {
    text: '"a" in request.path',
    problems: [["type", 0, 19, "look for a value in a list of its type, or for a string among the keys of a map"]],
  },
  {
    text: "1 in metadata.auth.?scopes.orValue([])",
    problems: [["type", 0, 38, "look for a value in a list of its type, or for a string among the keys of a map"]],
  },
  {
    text: '"auth" in metadata',
    problems: [["type", 0, 18, "ask `has(metadata.auth)`"]],
  },
  {
    text: "request.path.size(1) == 2",
    problems: [["type", 13, 17, "pass 0"]],
  },
  {
    text: "request.path.exists(c, true)",
    problems: [["type", 0, 12, "loop over a list or the keys of a map"]],
  },
  {
    text: "request.headers.exists(true)",
    problems: [["type", 0, 28, "write `list.exists(x, ...)`"]],
  },
  {
    text: "request.headers.exists(1, true)",
    problems: [["syntax", 23, 24, "write a name first, as in `list.all(x, x > 0)`"]],
  },
  {
    text: 'has(request.headers["a"])',
    problems: [["type", 0, 25, 'write `"a" in request.headers`']],
  },
  {
    text: "has(request)",
    problems: [["type", 0, 12, "write `has(a.b)`"]],
  },
  {
    text: 'timestamp("2026-01-01") < request.time',
    problems: [["type", 0, 23, 'correct `timestamp("2026-01-01")`']],
  },
  {
    text: 'duration("5 minutes") < duration("1h")',
    problems: [["type", 0, 21, 'correct `duration("5 minutes")`']],
  },
  {
    text: 'request.time.getHours("Mars/Olympus") == 1',
    problems: [["type", 22, 36, 'correct `"Mars/Olympus"`']],
  },
  {
    text: "request.time.getHours(request.path) == 1",
    problems: [["cost", 22, 34, "write the argument out"]],
  },
  {
    text: "1u == 1u",
    problems: [
      ["type", 0, 2, 'write a string as in `"text"`, an int as in `1`'],
      ["type", 6, 8, 'write a string as in `"text"`, an int as in `1`'],
    ],
  },
  {
    text: 'b"a" == b"a"',
    problems: [
      ["type", 0, 4, 'write a string as in `"text"`, an int as in `1`'],
      ["type", 8, 12, 'write a string as in `"text"`, an int as in `1`'],
    ],
  },
  {
    text: "9223372036854775808 > 1",
    problems: [["type", 0, 19, "use a smaller number, or a double such as `1e20`"]],
  },
  {
    text: '{1: "a"} == {}',
    problems: [["type", 1, 2, 'write the key as in `{"key": 1}`']],
  },
  {
    text: "[request] == []",
    problems: [["type", 0, 9, "name a field of it"]],
  },
  {
    text: "request.path.foo == 1",
    problems: [["type", 0, 16, "use `request.path` itself"]],
  },
  {
    text: "metadata[request.path] == 1",
    problems: [["type", 9, 21, "write `metadata.field`"]],
  },
  {
    text: "request.path",
    problems: [["result-type", 0, 12, 'compare it, as in `request.path == "..."`']],
  },
  {
    text: "request.json.?a.orValue(true)",
    problems: [["result-type", 0, 29, "compare it with a value"]],
  },
  {
    text: 'request.headers[?"a"]',
    problems: [["type", 0, 21, 'write `request.headers[?"a"].orValue("")`']],
  },
  {
    text: "response.status",
    result: "string",
    problems: [["result-type", 0, 15, "write `string(response.status)`"]],
  },
  {
    text: 'request.json.?a.orValue("")',
    result: "string",
    problems: [["result-type", 0, 27, 'write `string(request.json.?a.orValue(""))`']],
  },
  {
    text: "metadata.auth.?scopes.orValue([])",
    result: "string",
    problems: [["result-type", 0, 33, 'write `metadata.auth.?scopes.orValue([]).join(",")`']],
  },
  {
    text: "request",
    result: "string",
    problems: [["result-type", 0, 7, "name a part of it that is a string"]],
  },
  {
    text: "true",
    result: "string",
    problems: [["result-type", 0, 4, "write `string(true)`"]],
  },
  {
    text: "",
    problems: [["syntax", 0, 0, "complete or correct the expression here"]],
  },
  {
    text: "   ",
    problems: [["syntax", 3, 3, "complete or correct the expression here"]],
  },
  {
    text: "request.path ==",
    problems: [["syntax", 15, 15, "complete or correct the expression here"]],
  },
  {
    text: 'request.path = "a"',
    problems: [["syntax", 13, 14, "write `==`"]],
  },
  {
    text: 'request.path === "a"',
    problems: [["syntax", 15, 16, "write `==`"]],
  },
  {
    text: "true and false",
    problems: [["syntax", 5, 8, "write `&&`"]],
  },
  {
    text: "true & false",
    problems: [["syntax", 5, 6, "write `&&`"]],
  },
  {
    text: "not true",
    problems: [["syntax", 4, 8, "complete or correct the expression here"]],
  },
  {
    text: "(true",
    problems: [["syntax", 5, 5, "write `)` here"]],
  },
  {
    text: "[1, 2",
    problems: [["syntax", 5, 5, "write `]` here"]],
  },
  {
    text: 'request.path == "abc',
    problems: [["syntax", 16, 20, "close it with the quote it began with"]],
  },
  {
    text: 'request.path == "a\\q"',
    problems: [["syntax", 18, 20, "correct the expression here"]],
  },
  {
    text: "request.if == 1",
    problems: [["unknown-name", 8, 10, "use one of: method, path, headers, time, json, body"]],
  },
  {
    text: "if == 1",
    problems: [["syntax", 0, 2, "use another name"]],
  },
  {
    text: "request.path == `a`",
    problems: [["syntax", 16, 17, "complete or correct the expression here"]],
  },
  {
    text: 'request.path == "ä" ü',
    problems: [["syntax", 20, 21, "complete or correct the expression here"]],
  },
  {
    text: 'reqest.path == "/" && request.pth == 1 || request.headers["X-A"] == 2 && request.path > 5',
    problems: [
      ["unknown-name", 0, 6, "did you mean `request`?"],
      ["unknown-name", 30, 33, "did you mean `path`?"],
      ["may-be-missing", 42, 64, 'write `request.headers[?"x-a"].orValue("")`'],
      ["upper-case-key", 58, 63, 'write `"x-a"`'],
      ["type", 73, 89, "convert one side, for example with `int(...)` or `string(...)`"],
    ],
  },
  {
    text: "cel.bind(x, 1, x == 1)",
    problems: [
      ["unknown-name", 0, 3, "use one of: request, source, route, metadata, response"],
      ["unknown-name", 4, 8, "remove it"],
      ["unknown-name", 9, 10, "use one of: request, source, route, metadata, response"],
      ["unknown-name", 15, 16, "use one of: request, source, route, metadata, response"],
    ],
  },
  {
    text: 'request.headers[?"a"].orValue() == "a"',
    problems: [["type", 0, 31, "write `x.orValue(...)`"]],
  },
  {
    text: "request.headers.exists(n, reqest == n)",
    problems: [["unknown-name", 26, 32, "did you mean `request`?"]],
  },
  {
    text: 'request.path.matches("a", "b")',
    problems: [["type", 0, 30, 'write `x.matches("^pattern$")`']],
  },
  {
    text: 'request.path.substring("a") == "b"',
    problems: [["type", 23, 26, "pass int"]],
  },
  {
    text: 'int("x") == 1',
    problems: [["type", 0, 8, 'correct `int("x")`']],
  },
  {
    text: 'request.json.?a.orValue(1) == request.headers[?"a"]',
    problems: [["type", 30, 51, 'write `request.headers[?"a"].orValue("")`']],
  },
  {
    text: 'request.headers\n  [ "x-tier" ] == "gold"',
    problems: [["may-be-missing", 0, 30, 'write `request.headers[?"x-tier"].orValue("")`']],
  },
  {
    text: 'true ? "a" : request.json.?a.orValue(1)',
    result: "string",
    problems: [["result-type", 0, 39, 'write `string(true ? "a" : request.json.?a.orValue(1))`']],
  },
  {
    text: '(true ? request.headers[?"a"] : request.json) == "a"',
    problems: [["type", 1, 44, "give both the same type"]],
  },
];
