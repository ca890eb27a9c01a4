import { sdkGeneration } from "../config/manifest.ts";
import type { JsonSchema } from "../config/types.ts";
import { choice, dialect, entries, flag, list, map, text } from "./parts.ts";

const metadataKey = "^[a-z][A-Za-z\\d]{0,62}$";
const number = "(?:0|[1-9]\\d{0,8})";
const identifier = "(?:0|[1-9]\\d*|\\d*[A-Za-z-][\\dA-Za-z-]*)";

const writtenName = (does: string): JsonSchema =>
  text(
    `${does} A header's name in lower case, or where names stand in the parameters: a JSON Pointer (RFC 6901) in which \`*\` is every entry.`,
    { pattern: "^(?:/.*|[!#$%&'*+.^_`|~\\da-z-]+)$", examples: ["x-user", "/request/*/name"] },
  );

const writtenHeader: JsonSchema = {
  ...map("One header, or those that parameters name.", {
    sets: writtenName("It has this value afterwards, whatever was there."),
    removes: writtenName("It is absent afterwards."),
    unless: list(
      "Keys beside the name: where one of them is there and not `false`, the header may keep what it had.",
      text("A key of the map that holds the name."),
      { default: [] },
    ),
  }),
  oneOf: [{ required: ["sets"] }, { required: ["removes"] }],
};

/** The JSON Schema of `policy.yaml`, for editors. What is inside `parameters` is left to JSON Schema's own rules and to `lint`. */
export const manifestSchema: JsonSchema = {
  $schema: dialect,
  title: "Manifest of a policy",
  ...map(
    "What a policy is and what can be configured.",
    {
      name: text("The policy's name, the same as its folder's.", { pattern: "^[a-z][a-z\\d]*(?:-[a-z\\d]+)*$", maxLength: 63 }),
      version: text("The version of this release, the same as its folder's.", {
        pattern: `^${number}\\.${number}\\.${number}(?:-${identifier}(?:\\.${identifier})*)?$`,
        examples: ["1.0.0"],
      }),
      summary: text("One sentence that says what the policy does."),
      sdk: { description: "The SDK generation that the policy was written for.", const: sdkGeneration },
      protects: flag("The policy exists to keep somebody out: skipping it must be acknowledged.", false),
      replies: choice(
        "`always`: whatever comes, the policy answers in place of the upstream, so that no step after it runs.",
        ["always", "sometimes"],
        "sometimes",
      ),
      metadata: map("Values that steps share.", {
        reads: list("Keys that the policy reads; an earlier step must write them.", text("A key.", { pattern: metadataKey }), {
          default: [],
        }),
        writes: entries(
          "Keys that the policy writes, each with the JSON Schema of its value.",
          { type: "object" },
          { pattern: metadataKey },
        ),
      }),
      mutates: list(
        "Parts of the request that the policy may set; Envoy must allow it.",
        { enum: ["path", "query", "method", "host"] },
        { default: [] },
      ),
      headers: map("Headers that the policy writes: what steps do to each other's headers is found when a configuration is checked.", {
        request: list("Headers of the request.", writtenHeader, { default: [] }),
        response: list("Headers of the response.", writtenHeader, { default: [] }),
      }),
      parameters: {
        description:
          "JSON Schema 2020-12 of the parameters, strict: every property described, no object open. `x-expression: bool | string` (CEL), `x-regex: true` (RE2), `x-secret: true | digest` (not shown; a digest may stand in a configuration).",
        type: "object",
      },
    },
    ["name", "version", "summary", "sdk"],
  ),
};
