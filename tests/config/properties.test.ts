import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { canonicalHash } from "../../src/config/canonical.ts";
import { checkConfig } from "../../src/config/check.ts";
import { parseManifest } from "../../src/config/manifest.ts";
import type { Node } from "../../src/config/node.ts";
import { parseYaml } from "../../src/config/parse.ts";
import { compareVersions, parseVersion } from "../../src/config/semver.ts";
import { parseSettings } from "../../src/config/settings.ts";
import type { Position, Problem } from "../../src/errors.ts";
import { testEnvironment, testSchemas } from "./support.ts";

const runs = { seed: 3, numRuns: 300 };
const schemas = testSchemas();
const environment = testEnvironment(schemas);

/** Text that is nearly a configuration: words and marks that mean something, in any order. */
const words =
  "version: 1,chains,api,steps,policy: set-header@1,policy: gate@1,policy: everything@1,when,parameters,routes,unmatched,request";
const values = "name: x-a,set,setFrom,request.path,${env:KEY},${,$${,1,1s,null,true,&a ,*a,!x ,<<,---,%YAML,? ,|,>-,#,[,],{,}";
const marks = ['"', "'", "\n", "\n  ", "\n    ", "\n      - ", ": ", ", ", "\\u0041", "\\", "\t", "😀", "é", "\r\n", "\0", "\uFEFF"];
const scraps = [...words.split(","), ...values.split(","), ...marks];
const yamlish = fc.array(fc.constantFrom(...scraps), { maxLength: 60 }).map((parts) => parts.join(""));
const anyText = fc.oneof(
  yamlish,
  fc.string({ unit: "binary", maxLength: 200 }),
  yamlish.map((text) => `version: 1\nchains:\n  api:\n    steps:\n      - ${text}`),
);

describe("whatever the text is", () => {
  test("nothing throws, and every position is inside the text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const document = { uri: "any", text };
        const checked = checkConfig([document, { uri: "other", text: "version: 1" }], environment);
        const settings = parseSettings(document, "/");
        const manifest = parseManifest(document, schemas);
        const problems = [checked, settings, manifest].flatMap((result) => ("problems" in result ? result.problems : []));
        for (const position of problems.flatMap(positionsOf)) expect(isInside(position, text)).toBe(true);
      }),
      runs,
    );
  });

  test("each character of a text value stands where its position says", () => {
    fc.assert(
      fc.property(
        fc.oneof(yamlish, fc.string({ maxLength: 60 })),
        fc.constantFrom("PLAIN", "QUOTE_DOUBLE", "QUOTE_SINGLE", "BLOCK_LITERAL", "BLOCK_FOLDED"),
        (value, style) => {
          const text = stringify({ before: 1, key: value, after: 2 }, { defaultStringType: style, defaultKeyType: "PLAIN", lineWidth: 30 });
          const { root } = parseYaml({ uri: "any", text });
          const node = root?.kind === "map" ? root.entries.get("key")?.value : undefined;
          if (node?.kind !== "scalar" || typeof node.value !== "string") return;
          // What was read, not what was written: the library does not write every white space so that it is read again.
          for (let offset = 0; offset < node.value.length; offset += 1) {
            const expected = node.value.charAt(offset);
            const found = characterAt(node.positionOf(offset), text);
            // White space may be folded away; an escape starts with a backslash, and its second half stands where its first does.
            if (/\s/.test(expected) || found === "\\" || /[\udc00-\udfff]/.test(expected)) continue;
            expect({ offset, found }).toEqual({ offset, found: expected });
          }
        },
      ),
      { ...runs, numRuns: 1000 },
    );
  });

  test("positions of nodes are where the nodes are", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.stringMatching(/^[a-z]{1,5}$/),
          fc.oneof(fc.integer(), fc.array(fc.stringMatching(/^[a-z]{1,5}$/), { maxLength: 3 })),
        ),
        (value) => {
          const text = stringify(value);
          const { root } = parseYaml({ uri: "any", text });
          if (root?.kind !== "map") return;
          for (const [key, entry] of root.entries) {
            expect(textFrom(entry.keyPosition, text).startsWith(key)).toBe(true);
            for (const item of scalarsOf(entry.value))
              expect(textFrom(item.position, text)).toMatch(new RegExp(`^"?${String(item.value)}`));
          }
        },
      ),
      runs,
    );
  });
});

describe("a hash", () => {
  const json = fc.jsonValue({ maxDepth: 3 });

  test("is the same whatever the order of keys", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalHash(reversed(value))).toBe(canonicalHash(value));
      }),
      runs,
    );
  });

  test("tells two values apart", () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        const same = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        expect(canonicalHash(one) === canonicalHash(other)).toBe(same);
      }),
      runs,
    );
  });

  test("of a configuration does not depend on the order of its keys, documents or lines", () => {
    const steps = '[{ policy: set-header@1, name: s, parameters: { request: [{ name: x-a, set: "1" }] } }]';
    const moved = '[{ parameters: { request: [{ set: "1", name: x-a }] }, name: s, policy: set-header@1 }]';
    const hash = (texts: readonly string[]) => {
      const checked = checkConfig(
        texts.map((text, index) => ({ uri: `${index}`, text })),
        environment,
      );
      return "config" in checked ? checked.config.hash : checked.problems;
    };
    const one = hash([`version: 1\nchains: { a: { steps: ${steps} }, b: { steps: [] } }\nroutes: { x: a, y: b }\n`]);
    const other = hash([
      `routes: { y: b }\nversion: 1\nchains:\n  b: { steps: [] }\n`,
      `# words\nversion: 1\nchains: { a: { steps: ${moved} } }\nroutes: { x: a }`,
    ]);
    expect(one).toEqual(other);
    expect(one).toMatch(/^[0-9a-f]{64}$/);
  });
});

test("whatever the schemas of a manifest are, they are accepted or refused, and nothing throws", () => {
  const leaf = fc.constantFrom<unknown>(
    true,
    false,
    0,
    1,
    "",
    "a",
    "(",
    "bool",
    "string",
    "object",
    "#/$defs/a",
    "#/$defs/b",
    ["string"],
    ["a"],
    null,
  );
  const keyword = fc.constantFrom(
    ...[
      "type",
      "properties",
      "items",
      "oneOf",
      "anyOf",
      "not",
      "if",
      "then",
      "$ref",
      "$defs",
      "default",
      "enum",
      "const",
      "pattern",
      "required",
    ],
    ...[
      "minimum",
      "minLength",
      "additionalProperties",
      "propertyNames",
      "patternProperties",
      "discriminator",
      "description",
      "x-expression",
      "x-regex",
    ],
    ...["x-secret", "prefixItems", "dependentRequired", "a", "b"],
  );
  const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.dictionary(keyword, tie("schema"), { maxKeys: 5 }),
      fc.array(tie("schema"), { maxLength: 2 }),
    ),
  }));
  const typed = fc.record(
    { type: fc.constant("object"), additionalProperties: fc.constant(false), properties: fc.dictionary(keyword, schema), $defs: schema },
    { requiredKeys: ["type"] },
  );
  fc.assert(
    fc.property(fc.oneof(schema, typed), (parameters) => {
      const manifest = { name: "any", version: "1.0.0", summary: "Any.", sdk: 1, parameters, metadata: { writes: { key: parameters } } };
      const parsed = parseManifest({ uri: "any", text: JSON.stringify(manifest) }, schemas);
      expect("manifest" in parsed || parsed.problems.length > 0).toBe(true);
    }),
    runs,
  );
});

test("versions are ordered as semver.org 11 orders them", () => {
  const ordered = [
    "0.9.0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "2.0.0",
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray(ordered), (subset) => {
      const versions = subset.map((text) => ({ text, version: parseVersion(text) }));
      const sortedTexts = versions
        .toSorted((left, right) => (left.version && right.version ? compareVersions(left.version, right.version) : 0))
        .map(({ text }) => text);
      expect(sortedTexts).toEqual(ordered.filter((text) => subset.includes(text)));
    }),
    runs,
  );
  expect(["1", "1.0", "v1.0.0", "01.0.0", "1.0.0+b", "1.0.0-", "1.0.0-01", " 1.0.0"].map(parseVersion)).toEqual(Array(8).fill(undefined));
});

function positionsOf({ position, related = [] }: Problem): readonly Position[] {
  return [position, ...related.map((other) => other.position)].filter(({ uri }) => uri === "any");
}

function isInside({ line, column }: Position, text: string): boolean {
  const lines = text.split("\n");
  const found = lines[line - 1];
  return found !== undefined && column >= 1 && column <= found.length + 1;
}

function textFrom({ line, column }: Position, text: string): string {
  return (text.split("\n")[line - 1] ?? "").slice(column - 1);
}

function characterAt(position: Position, text: string): string {
  return textFrom(position, text).charAt(0);
}

function scalarsOf(node: Node): readonly Extract<Node, { kind: "scalar" }>[] {
  if (node.kind === "scalar") return [node];
  return node.kind === "list" ? node.items.flatMap(scalarsOf) : [...node.entries.values()].flatMap(({ value }) => scalarsOf(value));
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, reversed(part)]),
  );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return {
    entries: Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, part]) => [key, sorted(part)]),
  };
}
