import type { JsonSchema } from "../config/types.ts";
import { dialect, list, map, text, versionPattern } from "./parts.ts";

const words = "^[a-z][a-z\\d]*(?:-[a-z\\d]+)*$";

/** The JSON Schema of `distribution.yaml`, for editors. */
export const distributionSchema: JsonSchema = {
  $schema: dialect,
  title: "Distribution of the Envoy Policy Engine",
  ...map(
    "The engine with the policies that are named here.",
    {
      name: text("What the distribution is called.", { pattern: words, maxLength: 63, examples: ["acme-gateway"] }),
      version: text("The version of this distribution.", { pattern: versionPattern, examples: ["1.0.0"] }),
      policies: list(
        "Where the policies come from.",
        {
          ...map("Exactly one of `shipped`, `folder`, `npm` and `tarball`.", {
            shipped: text("A policy that comes with the engine, as a step of a chain would name it.", { examples: ["set-header@2"] }),
            folder: text("A folder with a `policy.yaml`, or one that holds such folders as NAME/vVERSION; relative to this file."),
            npm: text("A package of a registry, with a `range`.", { pattern: "^(?:@[a-z\\d][a-z\\d._-]*/)?[a-z\\d][a-z\\d._-]*$" }),
            range: text("The versions of the package that will do.", { examples: ["^1.2.0"] }),
            tarball: text("A file as `npm pack` makes it; relative to this file."),
          }),
          oneOf: [{ required: ["shipped"] }, { required: ["folder"] }, { required: ["npm"] }, { required: ["tarball"] }],
          dependentRequired: { npm: ["range"], range: ["npm"] },
        },
        { minItems: 1 },
      ),
    },
    ["name", "version", "policies"],
  ),
};
