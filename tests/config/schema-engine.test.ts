import { expect, test } from "vitest";
import { quickestMs } from "../support/quickest.ts";
import { testSchemas } from "./support.ts";

const schemas = testSchemas();

test("a property that every object inherits is not there unless it was written", () => {
  const validate = schemas.validator({ type: "object", required: ["constructor"] });
  expect(validate({}).violations).toHaveLength(1);
  expect(validate(JSON.parse('{ "constructor": 1 }')).violations).toEqual([]);
});

test("each pattern keeps its own meaning", () => {
  const properties = { a: { type: "string", pattern: "^a+$" }, b: { type: "string", pattern: "^b+$" } };
  const validate = schemas.validator({ type: "object", properties });
  expect(validate({ a: "aa", b: "bb" }).violations).toEqual([]);
  expect(validate({ a: "bb", b: "aa" }).violations.map(({ instancePath }) => instancePath)).toEqual(["/a", "/b"]);
});

test("a pattern takes time linear in the text: 28 letters take a native regular expression seconds", () => {
  const validate = schemas.validator({ type: "string", pattern: "^(a+)+$" });
  const run = () => validate(`${"a".repeat(28)}!`);
  expect(run().violations).toHaveLength(1);
  expect(quickestMs(run, 1_000)).toBeLessThan(1_000);
});

test("what a schema marks is found also where the value is wrong", () => {
  const properties = { when: { type: "string", "x-expression": "bool" }, match: { type: "string", "x-regex": true } };
  const validate = schemas.validator({ type: "object", properties, required: ["other"] });
  expect(validate({ when: "true", match: 1 })).toMatchObject({
    violations: [{ keyword: "required" }, { keyword: "type" }],
    marked: [{ pointer: "/when", mark: "bool" }],
  });
});
