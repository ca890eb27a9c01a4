/** Every authentication policy writes the same record, and the SDK's type says the same: a chain can exchange one for another. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { generateParameters } from "../../builder/generate-parameters.ts";
import type { JsonSchema } from "../../src/config/types.ts";
import { policies } from "../../src/generated/registry.ts";

const written = [...policies].flatMap(([name, { manifest }]) => {
  const schema = manifest.metadata.writes.auth;
  return schema === undefined ? [] : [{ name, manifest, schema }];
});

test("there are several of them", () => {
  expect(written.map(({ name }) => name)).toEqual(["api-key-validation@1.0.0", "jwt-validation@1.0.0", "jwt-validation@2.0.0"]);
});

describe.each(written)("$name", ({ manifest, schema }) => {
  test("writes `auth` in the words of all others", () => {
    expect(schema).toEqual(written[0]?.schema);
  });

  test("and as the SDK's type `Auth` says", () => {
    const sdk = readFileSync(join(import.meta.dirname, "../../src/sdk/index.ts"), "utf8");
    const type = /export interface Auth (\{.*?\n\})/s.exec(sdk)?.[1] ?? "";
    const generated = generateParameters({ ...manifest, parameters: schema });
    expect(membersOf(generated.slice(generated.indexOf("{")))).toEqual(membersOf(type));
  });
});

test("a record that says something else is noticed", () => {
  const [one] = written;
  if (one === undefined) throw new Error("there is one");
  const other: JsonSchema = { ...one.schema, required: ["method"] };
  expect(membersOf(generateParameters({ ...one.manifest, parameters: other }))).not.toEqual(
    membersOf(generateParameters({ ...one.manifest, parameters: one.schema })),
  );
});

/** Without comments and however the lines are broken. */
function membersOf(type: string): readonly string[] {
  const code = type.replace(/\/\*.*?\*\//gs, "").replace(/\/\/.*/g, "");
  return code.match(/readonly \w+\??: [^;]+/g) ?? [];
}
