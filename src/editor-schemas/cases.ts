import type { JsonSchema } from "../config/types.ts";
import { configCasesSchema, policyCasesSchema } from "../testing/case-schema.ts";
import { conditional, dialect } from "./parts.ts";

/** The JSON Schema of case files, for editors. A file that names a configuration is about that, any other one about a policy. */
export const casesSchema: JsonSchema = {
  $schema: dialect,
  title: "Cases of policies and configurations of the Envoy Policy Engine",
  type: "object",
  ...conditional({ required: ["config"] }, configCasesSchema, policyCasesSchema),
};
