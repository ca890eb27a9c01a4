/** What `policy-engine explain --json`, `POST /explain` and `GET /decisions/ID` print. Keys whose value is nothing are left out. */
import type { JsonSchema } from "../config/types.ts";
import { explainRequestSchema } from "../testing/case-schema.ts";
import { conditional, dialect, list, map } from "./parts.ts";

const text = (description: string): JsonSchema => ({ description, type: "string" });
const integer = (description: string): JsonSchema => ({ description, type: "integer" });
const milliseconds = (description: string): JsonSchema => ({ description: `${description} Milliseconds.`, type: "number", minimum: 0 });
const words = (description: string, ...choices: readonly string[]): JsonSchema => ({ description, enum: choices });

const phase = words("The direction.", "request", "response");
const policy = text("`name@version`");
const handled = words("What a failure means: `onError`.", "deny", "skip");
const texts = (description: string): JsonSchema => list(description, { type: "string" });

const value: JsonSchema = {
  anyOf: [
    map("It yielded something.", { value: text("As JSON; `nothing` where there is none.") }, ["value"]),
    map("It failed.", { failure: text("Why; it names a part and no value.") }, ["failure"]),
  ],
};

const failure = map("A failure of a step.", { step: text("Its name."), policy, phase, code: text("See docs/errors.md."), handled }, [
  "step",
  "policy",
  "phase",
  "code",
  "handled",
]);

const summary: JsonSchema = {
  id: text("The engine's id of the exchange, `x-decision-id` of its replies."),
  requestId: text("Envoy's `x-request-id`, of at most 128 bytes."),
  time: { ...text("When the request came."), format: "date-time" },
  generation: integer("Number of the generation; left out when there was no valid configuration."),
  route: text("Envoy's route name; empty for an unnamed route, and where it could not be told."),
  chain: text("Name of the chain."),
  outcome: words(
    "`replied`: a step answered; `refused`: the engine did; `continued`: it went on to the upstream.",
    "replied",
    "refused",
    "continued",
  ),
  status: integer("What the client got, where somebody answered in place of the upstream."),
  code: text("Of the reply, else of the last failure."),
  step: text("The step that replied or failed."),
  reason: text("What the policy says about its reply."),
  failures: list("Steps that failed.", failure),
  durationMs: milliseconds(
    "Of the exchange, the upstream's time included where it had its turn; in the summary of one that went on, of the failed step.",
  ),
};

const summaryRequired = ["id", "time", "route", "outcome", "failures", "durationMs"];

const change = map(
  "What a step left changed. Every line of a header, JSON of metadata; `[]`: not there.",
  {
    of: words("What was changed.", "request-header", "response-header", "request-body", "response-body", "metadata"),
    name: text("Of the header or the metadata's key; `body` of a body."),
    before: texts("What stood there."),
    after: texts("What stands there now."),
  },
  ["of", "name", "before", "after"],
);

const condition = map(
  "The step's condition.",
  {
    text: text("As it is written."),
    result: value,
    parts: list(
      "Its parts as far as they were evaluated.",
      map("A part.", { text: text("As it is written."), result: value }, ["text", "result"]),
    ),
  },
  ["text", "result", "parts"],
);

const step = map(
  "What a step did in one direction.",
  {
    step: text("Its name."),
    policy,
    phase,
    outcome: words("How it ended.", "ran", "skipped", "refused", "replied", "failed", "timed-out", "not-reached"),
    durationMs: milliseconds("How long its handler took; left out where it was not called."),
    body: words("What it does with the body.", "none", "buffered", "streamed"),
    condition,
    reads: list("Metadata that it asked for.", map("A value.", { key: text("Its key."), value: text("As JSON.") }, ["key", "value"])),
    changes: list("What it left changed.", change),
    reply: map("What it answered.", { status: integer("HTTP status."), code: text("For machines."), reason: text("For people.") }, [
      "status",
      "code",
    ]),
    failure: map("Why it failed, or was passed over.", { code: text("See docs/errors.md."), handled, detail: text("What was thrown.") }, [
      "code",
      "handled",
    ]),
  },
  ["step", "policy", "phase", "outcome", "body", "reads", "changes"],
);

const header = { name: text("In lower case."), value: text("`[redacted]` where it may be a credential.") };

const told = map(
  "An answer as Envoy got it.",
  {
    to: text("The message that Envoy had sent last."),
    kind: words("`reply`: Envoy answers the client with it.", "continue", "reply"),
    status: integer("Of a reply."),
    set: list("Headers that are set.", map("A line.", { ...header, append: { type: "boolean" } }, ["name", "value", "append"])),
    remove: texts("Headers that are removed."),
    bodyBytes: integer("Bytes of the body that goes on in place of the one that came."),
    asks: { description: "What Envoy is asked to send from here on.", type: "object", additionalProperties: { type: "string" } },
  },
  ["to", "kind", "set", "remove"],
);

const timeline: JsonSchema = {
  ...summary,
  request: map(
    "The request as it came.",
    {
      method: text("Its method."),
      path: text("With the query."),
      headers: list("At most 100 lines.", map("A line.", header, ["name", "value"])),
    },
    ["method", "path", "headers"],
  ),
  found: map(
    "How the chain was found.",
    {
      carriers: list("What told the route.", words("A carrier.", "attributes", "metadata")),
      by: words("What named the chain.", "routes", "route-metadata", "unmatched", "nothing"),
    },
    ["carriers", "by"],
  ),
  steps: list("In the order in which they had their turn.", step),
  told: list("At most 64.", told),
};

const timelineRequired = [...summaryRequired, "request", "found", "steps", "told"];

const headers = { description: "Lower-case names to every value.", type: "object", additionalProperties: texts("Values.") };
const message = { body: text("With its size; empty when there is none."), headers, trailers: headers };

const explainedKeys: Readonly<Record<string, JsonSchema>> = {
  explanation: map("What happened.", timeline, timelineRequired),
  upstream: map(
    "What reached the upstream; left out when nothing did.",
    { method: text("Its method."), path: text("With the query."), host: text("Its authority."), ...message },
    ["method", "path", "host", "body", "headers", "trailers"],
  ),
  client: map("What the client got.", { status: integer("HTTP status."), cut: { const: true }, ...message }, [
    "status",
    "body",
    "headers",
    "trailers",
  ]),
  unansweredCalls: texts("Outgoing calls to which no answer was given."),
};

const explainedRequired = ["explanation", "unansweredCalls"];

const differences: JsonSchema = list(
  "Without `from` it is new, without `to` it is gone.",
  map("A difference.", { path: text("Where: `upstream.headers.x-user`."), from: {}, to: {} }, ["path"]),
);

const title = {
  name: text("As the request file calls it."),
  request: text("Method and path, without credentials."),
  route: text("Envoy's route name."),
};

const detail = (kind: string): JsonSchema => ({ detail: { const: kind } });

export const explanationSchema: JsonSchema = {
  $schema: dialect,
  title: "What the Envoy Policy Engine tells of an exchange",
  oneOf: [
    map("An exchange that was explained without Envoy.", explainedKeys, explainedRequired),
    map("What is kept of a recorded exchange.", { ...detail("timeline"), ...timeline }, ["detail", ...timelineRequired]),
    map("What is kept of any reply or failure.", { ...detail("summary"), ...summary }, ["detail", ...summaryRequired]),
    map("What another configuration would have done differently (`--what-if`).", { differences }, ["differences"]),
    map(
      "Several exchanges, of a request file that is a list.",
      {
        exchanges: list("In the order of the file.", {
          oneOf: [
            map("One of them.", { ...title, ...explainedKeys }, ["request", "route", ...explainedRequired]),
            map("What differs of it; nothing where the list is empty.", { ...title, differences }, ["request", "route", "differences"]),
          ],
        }),
      },
      ["exchanges"],
    ),
  ],
};

/** What `explain --request` takes, and `POST /explain` without the list. */
export const requestSchema: JsonSchema = {
  $schema: dialect,
  title: "An exchange for the Envoy Policy Engine to explain, or several",
  ...conditional({ type: "array" }, { type: "array", minItems: 1, items: explainRequestSchema }, explainRequestSchema),
};
