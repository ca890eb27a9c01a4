/** What stands in a case file, as JSON Schema: for editors, and for `readCaseFile`, which knows which of the two kinds a file is. */
import type { JsonSchema } from "../config/types.ts";

const text = { type: "string" };

const headers = {
  description: "Header names in any case: one value or several.",
  type: "object",
  propertyNames: { minLength: 1 },
  additionalProperties: { anyOf: [text, { type: "array", items: text }] },
};

const expectedHeaders = {
  ...headers,
  description: "Only the headers that are named here are compared. `[]` means that the header must not be there.",
};

const status = { description: "HTTP status.", type: "integer", minimum: 200, maximum: 599 };
const body = { ...text, description: "The body as text." };
const trailers = { ...headers, description: "What follows the body." };

/** What somebody sends. */
const sent = {
  headers,
  body: {
    description: "The body as text; a list is the chunks in which it comes. Default: none, the message ends with its headers.",
    anyOf: [text, { type: "array", minItems: 1, items: text }],
  },
  trailers,
};

/** What somebody gets. */
const received = {
  headers: expectedHeaders,
  body,
  trailers: { ...expectedHeaders, description: "The trailers, compared as headers are." },
};

function map(description: string, properties: JsonSchema, more: JsonSchema = {}): JsonSchema {
  return { description, type: "object", additionalProperties: false, properties, ...more };
}

const requestLine = {
  method: { ...text, description: "Default when it is sent: `GET`." },
  path: { ...text, description: "Path with query. Default when it is sent: `/`." },
  host: { ...text, description: "Default when it is sent: `example.com`." },
};

const source = map(
  "Who sends it. Default: 127.0.0.1, port 40000.",
  { address: text, port: { type: "integer", minimum: 1, maximum: 65_535 } },
  {
    required: ["address", "port"],
  },
);

const call = map(
  "An outgoing call of a policy and its answer. Several with the same key and URL answer in turn, the last one every later call too. One that is never made is a failure.",
  {
    key: { ...text, description: "The first argument of `context.fetch`." },
    url: { ...text, description: "The second one, exactly." },
    method: { ...text, description: "Only for calls with this method. Default: any." },
    response: map("The answer. Default: an empty 200.", { status, headers, body }),
    error: { ...text, description: "The call fails with this message in place of an answer." },
  },
  { required: ["key", "url"], not: { required: ["response", "error"] } },
);

const expected = map(
  "What must come out. Only what is named is compared. Without `reply` nobody may answer in place of the upstream.",
  {
    request: map("The request as the upstream gets it; it must reach it.", { ...requestLine, ...received }),
    response: map("The response as the client gets it.", { status, ...received }),
    reply: map("The answer that is given in place of the upstream's.", {
      status,
      code: { ...text, description: "The machine-readable code of the reply." },
      headers: expectedHeaders,
      body,
    }),
    metadata: { description: "Values of the shared metadata at the end, by key.", type: "object", additionalProperties: true },
    failure: { ...text, description: "A step fails with this code, such as `policy-failed`." },
    refused: { ...text, description: "The parameters, or the configuration, are refused; a part of the problems' text." },
  },
  { minProperties: 1 },
);

/** One exchange and the world around it. */
const exchange = {
  now: {
    description: "Where the clock stands still, RFC 3339 in UTC. Default: 2026-01-01T00:00:00Z.",
    type: "string",
    pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z$",
  },
  random: {
    description: "What `context.random()` gives, in turn; the last one again and again. Default: 0.5.",
    type: "array",
    minItems: 1,
    items: { type: "number", minimum: 0, exclusiveMaximum: 1 },
  },
  calls: { description: "Outgoing calls and their answers. Any other call fails, and so does the case.", type: "array", items: call },
  request: map("What the client sends. Default: `GET /`.", { ...requestLine, ...sent, source }),
  response: map("What the upstream answers. Default: an empty 200.", { status, ...sent }),
};

/** What both kinds of cases have. `expect` may be left out only until `policy-engine test --update` has written it. */
const common = {
  name: { ...text, description: "One sentence that says what is promised. No two cases of a file have the same.", minLength: 1 },
  ...exchange,
  expect: expected,
};

const route = { ...text, description: "The name of the route in Envoy's configuration." };

/** What `policy-engine explain --request` and `POST /explain` take: an exchange as a case gives it. */
export const explainRequestSchema: JsonSchema = map("An exchange to be explained.", {
  name: { ...text, description: "What to call it, where there are several." },
  route,
  ...exchange,
  now: { ...exchange.now, description: "Where the clock stands still, RFC 3339 in UTC. Default: the present." },
});

const policyCase = map(
  "One exchange through a chain of this policy alone.",
  {
    ...common,
    parameters: { description: "The step's parameters. Default: none.", type: "object", additionalProperties: true },
    metadata: { description: "Shared metadata, as if an earlier step had written it.", type: "object", additionalProperties: true },
  },
  { required: ["name"] },
);

const configCase = map("One exchange through the chain of a route.", { ...common, route }, { required: ["name", "route"] });

const values = (description: string): JsonSchema => ({ description, type: "object", additionalProperties: text });

const file = (cases: JsonSchema): JsonSchema => ({
  environment: values("Environment variables that `${env:NAME}` finds."),
  files: values("Texts of the files that `${file:PATH}` and policies find, by path."),
  cases: { description: "The cases.", type: "array", minItems: 1, items: cases },
});

/** A file beside a policy's manifest. */
export const policyCasesSchema: JsonSchema = map("Cases of a policy.", file(policyCase), { required: ["cases"] });

/** A file that names the configuration it is about. */
export const configCasesSchema: JsonSchema = map(
  "Cases of a configuration.",
  {
    config: {
      description: "Configuration files, merged; relative paths start at the folder of this file.",
      type: "array",
      minItems: 1,
      items: text,
    },
    ...file(configCase),
  },
  { required: ["config", "cases"] },
);
