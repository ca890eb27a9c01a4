import fc from "fast-check";
import { expect, test } from "vitest";
import { compileExpression } from "../../src/expressions/cel.ts";
import { ExpressionError } from "../../src/expressions/expression.ts";
import { quickestMs } from "../support/quickest.ts";
import { engine, scope, variables } from "./fixture.ts";

/** Longest time that any text may take, milliseconds; generous, because other work shares the machine. */
const compileMsMax = 250;

const fragments = fc.constantFrom(
  ...[
    "request",
    "reqest",
    ".",
    ".?",
    "path",
    "headers",
    "json",
    '["x-tier"]',
    '[?"X-A"]',
    "[0]",
    "[?",
    "]",
    "(",
    ")",
    "metadata.auth",
    ".scopes",
    "route.metadata",
  ],
  ...[
    "&&",
    "||",
    "!",
    "-",
    "+",
    "*",
    "/",
    "%",
    "==",
    "<",
    "in",
    "?",
    ":",
    ",",
    "=",
    "{",
    "}",
    "[",
    "1",
    "1.5",
    "0x",
    "1u",
    '"a"',
    "'",
    '"',
    "\\",
    "b'a'",
    "null",
    "true",
  ],
  ...[
    ".exists(x, ",
    ".all(x, x)",
    ".map(",
    ".matches(",
    '.matches("a+")',
    ".orValue(",
    "has(",
    "size(",
    "string(",
    "timestamp(",
    "cel.bind(",
    "optional.of(",
    " ",
    "\n",
    "// c\n",
    "ä",
    "😀",
  ],
  ...["__proto__", "constructor", "response.status", "9223372036854775808", '"\\x"', '"""', "r'", "/*", "x"],
);

const texts = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.string({ unit: "binary", maxLength: 100 }),
  fc.array(fragments, { maxLength: 40 }).map((parts) => parts.join("")),
  fc.tuple(fragments, fc.integer({ min: 1, max: 3_000 })).map(([part, times]) => part.repeat(times)),
);

test("no text makes it throw or takes long, and every position is inside the text", () => {
  fc.assert(
    fc.property(texts, fc.constantFrom("bool", "string"), (text, result) => {
      const compilation = compileExpression(text, scope, result, engine);
      expect(quickestMs(() => compileExpression(text, scope, result, engine), compileMsMax)).toBeLessThan(compileMsMax);
      if ("expression" in compilation) return;
      expect(compilation.problems.length).toBeGreaterThan(0);
      let last = 0;
      for (const { start, end, message, remedy } of compilation.problems) {
        expect(start).toBeGreaterThanOrEqual(last);
        expect(end).toBeGreaterThanOrEqual(start);
        expect(end).toBeLessThanOrEqual(text.length);
        expect(message).not.toBe("");
        expect(remedy).not.toBe("");
        last = start;
      }
    }),
    { seed: 4, numRuns: 3_000 },
  );
});

test("whatever compiles yields its type or fails with an ExpressionError, whatever the values", () => {
  const values = fc.oneof(
    fc.constant(variables),
    fc.object({ maxDepth: 3, key: fc.constantFrom("request", "path", "headers", "json", "metadata", "auth", "x-tier") }),
  );
  let compiledCount = 0;
  fc.assert(
    fc.property(wellFormed, values, (text, given) => {
      const compilation = compileExpression(text, scope, "bool", engine);
      if ("problems" in compilation) return;
      compiledCount++;
      try {
        expect(typeof compilation.expression.run(given)).toBe("boolean");
      } catch (error) {
        expect(error).toBeInstanceOf(ExpressionError);
      }
    }),
    { seed: 5, numRuns: 3_000 },
  );
  expect(compiledCount).toBeGreaterThan(200);
});

/** Syntactically right, typed by chance. */
const { wellFormed } = fc.letrec<{ wellFormed: string; operand: string }>((tie) => ({
  wellFormed: fc
    .tuple(tie("operand"), fc.constantFrom("==", "!=", "<", "&&", "||", "in", "+"), tie("operand"))
    .map((parts) => parts.join(" ")),
  operand: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(
      "request.path",
      'request.json.?path.orValue("")',
      'request.headers[?"x-tier"].orValue("")',
      "metadata.auth.?scopes.orValue([])",
      '"a"',
      "1",
      "true",
      "[1]",
    ),
    fc.constantFrom(
      "request.json.?a[?0].orValue(1)",
      "request.json.?headers.orValue({})",
      "has(request.json.path)",
      "request.headers.map(h, h)",
    ),
    tie("operand").map((inner) => `size(${inner})`),
    tie("operand").map((inner) => `${inner}.exists(x, x == 1)`),
    tie("operand").map((inner) => `string(${inner})`),
    tie("wellFormed").map((inner) => `(${inner})`),
  ),
}));
