import { sdkGeneration } from "../config/manifest.ts";
import type { JsonSchema } from "../config/types.ts";
import { choice, dialect, entries, flag, list, map, text, versionPattern } from "./parts.ts";

const metadataKey = "^[a-z][A-Za-z\\d]{0,62}$";

const headerName = text(
  "A header's name in lower case, or a JSON Pointer to names in the parameters in which `*` is every entry: `/request/*/name`.",
);

const headerWrite: JsonSchema = {
  ...map("Exactly one of `sets` and `removes`.", {
    sets: headerName,
    removes: headerName,
    unless: list("Keys beside the name in the parameters; where one is given, the header may not be written.", text("A key.")),
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
        pattern: versionPattern,
        examples: ["1.0.0"],
      }),
      summary: text("One sentence that says what the policy does."),
      sdk: { description: "The SDK generation that the policy was written for.", const: sdkGeneration },
      protects: flag("The policy exists to keep somebody out: skipping it must be acknowledged.", false),
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
      replies: choice(
        "`always`: the policy answers every exchange itself, and steps after it never run.",
        ["always", "sometimes"],
        "sometimes",
      ),
      headers: map("Which headers the policy writes, as far as it is known before it runs.", {
        request: list("Of the request.", headerWrite),
        response: list("Of the response.", headerWrite),
      }),
      parameters: {
        description:
          "JSON Schema 2020-12 of the parameters, strict: every property described, no object open. `x-expression: bool | string` (CEL), `x-regex: true` (RE2), `x-secret: true`.",
        type: "object",
      },
    },
    ["name", "version", "summary", "sdk"],
  ),
};
