import type { JsonSchema } from "../config/types.ts";
import { failureCatalogue } from "../errors.ts";
import { dialect, list, map } from "./parts.ts";

const step: JsonSchema = { description: "A step's name in its chain.", type: "string" };

/** The JSON Schema of a line of the decision log. Readers must take keys that are not in it: later releases may add some. */
export const decisionSchema: JsonSchema = {
  $schema: dialect,
  title: "A line of the decision log of the Envoy Policy Engine",
  description: "What is not known, or does not apply, is absent. Keys may be added; none changes its meaning without another `version`.",
  type: "object",
  required: ["version", "id", "time", "route", "outcome", "failures", "durationMs"],
  properties: {
    version: { const: 1 },
    id: { description: "The engine's id of the exchange: `x-decision-id` where there was a reply.", type: "string" },
    requestId: { description: "Envoy's `x-request-id`, up to 128 characters.", type: "string", maxLength: 128 },
    time: {
      description: "When the request came, RFC 3339 in UTC.",
      type: "string",
      pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$",
    },
    generation: { description: "Of the configuration that decided; absent before there was one.", type: "integer", minimum: 1 },
    route: { description: "Envoy's name of the route; empty where it has none or could not be told.", type: "string" },
    chain: { description: "The chain that the route is bound to.", type: "string" },
    outcome: {
      description:
        "replied: a step answered. refused: the engine did. continued: it went on to the upstream. passed: the route has no chain. broken: the stream was ended with an error. gone: the client left before there was an answer. body-not-sent: the body that a step waits for never came.",
      enum: ["replied", "refused", "continued", "passed", "broken", "gone", "body-not-sent"],
    },
    status: { description: "What the client got, where a step or the engine answered.", type: "integer", minimum: 200, maximum: 599 },
    code: { description: "Of the reply, else of the last failure; those of the engine are in docs/errors.md.", type: "string" },
    step: { ...step, description: "The step that replied or failed." },
    reason: { description: "What a policy says about its reply, for people.", type: "string", maxLength: 512 },
    failures: list(
      "Steps that failed, in the order in which they did.",
      map(
        "A failure.",
        {
          step,
          policy: { description: "`policy@version`", type: "string" },
          phase: { enum: ["request", "response"] },
          code: { enum: Object.keys(failureCatalogue) },
          handled: {
            description: "Whether the exchange was denied for it, or the step was passed over (`onError`).",
            enum: ["deny", "skip"],
          },
        },
        ["step", "policy", "phase", "code", "handled"],
      ),
    ),
    durationMs: { description: "From the stream's start to its end, milliseconds.", type: "number", minimum: 0 },
    traceId: { description: "Of the trace that Envoy has the exchange in.", type: "string", pattern: "^[\\da-f]{32}$" },
    sample: {
      description: "The share of such exchanges that is written, where this one was chosen by chance: it stands for 1 / sample of them.",
      type: "number",
      exclusiveMinimum: 0,
      maximum: 1,
    },
    headers: {
      description: "The request headers that the settings list, as they were received; up to 256 characters each.",
      type: "object",
      additionalProperties: { type: "string", maxLength: 256 },
    },
  },
};
