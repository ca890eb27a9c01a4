/**
 * The one catalogue of error codes: for each code what it means, the message built from facts, and how to mend it.
 *
 * Style of a message: lower case, no final period, what the user wrote in backticks, the cause after a colon. Facts never hold secret
 * values. `docs/errors.md` is generated from this file and `npm run check` proves that every code has a golden example.
 */

/** A place in a text. Line and column count from 1. */
export interface Position {
  readonly uri: string;
  readonly line: number;
  readonly column: number;
}

export type Severity = "error" | "warning";

/** Something wrong with a configuration, settings or manifest, with everything a person needs to mend it. */
export interface Problem {
  readonly code: ErrorCode;
  readonly severity: Severity;
  readonly message: string;
  readonly remedy: string;
  readonly position: Position;
  /** Path inside the document, `chains.api.steps[0].when`; empty for the document itself. */
  readonly path: string;
  /** Other places that play a part, such as the first of two definitions. */
  readonly related?: readonly { readonly message: string; readonly position: Position }[];
}

interface Entry<Facts> {
  /** One sentence for the documentation: when this happens. */
  readonly meaning: string;
  readonly severity?: Severity;
  readonly message: (facts: Facts) => string;
  readonly remedy: (facts: Facts) => string;
}

function entry<Facts>(entry: Entry<Facts>): Entry<Facts> {
  return entry;
}

/** Names for a sentence; of many only the first ones. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20);
  return names.length > shown.length ? `${shown.join(", ")} and ${names.length - shown.length} more` : shown.join(", ");
}

const didYouMean = (suggestion: string | undefined, otherwise: string): string =>
  suggestion === undefined ? otherwise : `did you mean \`${suggestion}\`?`;

/**
 * Problems of configuration, settings and manifests: found at load, reported all at once. What happens to an exchange at run time is no
 * problem of this list and has a catalogue of its own.
 */
export const problemCatalogue = {
  // YAML
  "yaml-syntax": entry<{ detail: string; hint: string | undefined }>({
    meaning: "The text is not valid YAML 1.2.",
    message: (f) => `invalid YAML: ${f.detail}`,
    remedy: (f) => `${f.hint ?? "mend the syntax at this position"}; nothing else of this document was checked`,
  }),
  "yaml-duplicate-key": entry<{ key: string }>({
    meaning: "One map has the same key twice; the first entry was checked, the second ignored.",
    message: (f) => `the key \`${f.key}\` is in this map already`,
    remedy: () => "remove or rename one of the two",
  }),
  "yaml-unsupported": entry<{ what: string; instead: string }>({
    meaning:
      "Valid YAML that is refused because it means different things to different readers: tags, directives, merge keys, several documents in one text, numbers that JSON cannot hold.",
    message: (f) => `${f.what} is not supported`,
    remedy: (f) => f.instead,
  }),
  "yaml-alias-unknown": entry<{ alias: string }>({
    meaning: "An alias names an anchor that is not complete before it.",
    message: (f) => `no anchor \`&${f.alias}\` stands before this alias`,
    remedy: (f) => `put \`&${f.alias}\` on an earlier value that does not contain the alias, or write the value out`,
  }),
  "yaml-too-large": entry<{ what: string; max: number }>({
    meaning: "A text is larger, deeper or, with its aliases expanded, longer than the bounds allow.",
    message: (f) => `too much text: more than ${f.max} ${f.what}`,
    remedy: () => "split the document into several files, or use fewer aliases",
  }),

  // Shape of any document
  "unknown-key": entry<{ key: string; suggestion: string | undefined; known: readonly string[] }>({
    meaning: "A key that does not exist in this place.",
    message: (f) => `unknown key \`${f.key}\``,
    remedy: (f) => didYouMean(f.suggestion, `remove it, or use one of: ${listed(f.known)}`),
  }),
  "missing-key": entry<{ key: string; meaning: string }>({
    meaning: "A key that must be there is not.",
    message: (f) => `the key \`${f.key}\` is missing`,
    remedy: (f) => `add \`${f.key}\`: ${f.meaning}`,
  }),
  "wrong-type": entry<{ expected: string; found: string }>({
    meaning: "A value of another type than this place takes.",
    message: (f) => `expected ${f.expected}, found ${f.found}`,
    remedy: typeRemedy,
  }),
  "wrong-version": entry<{ supported: number }>({
    meaning: "The format version of a document is not one this engine reads.",
    message: (f) => `this engine reads documents of version ${f.supported}`,
    remedy: (f) => `write \`version: ${f.supported}\``,
  }),
  "invalid-choice": entry<{ found: string; choices: readonly string[]; suggestion: string | undefined }>({
    meaning: "A value that is not one of those this place takes.",
    message: (f) => `\`${f.found}\` is not one of: ${listed(f.choices)}`,
    remedy: (f) => didYouMean(f.suggestion, `use one of: ${listed(f.choices)}`),
  }),
  "invalid-name": entry<{ name: string; kind: string; rule: string }>({
    meaning: "A name with characters or a length that its place does not take.",
    message: (f) => `\`${f.name}\` cannot name a ${f.kind}`,
    remedy: (f) => `use ${f.rule}`,
  }),
  "invalid-quantity": entry<{ found: string; kind: string; examples: string }>({
    meaning: "A duration or size that cannot be read.",
    message: (f) => `\`${f.found}\` is no ${f.kind}`,
    remedy: (f) => `write a whole number and its unit, such as ${f.examples}`,
  }),
  "out-of-range": entry<{ what: string; min: string; max: string; because: string | undefined }>({
    meaning: "A number, duration or size outside its bounds.",
    message: (f) => `${f.what} is out of range${f.because === undefined ? "" : `: ${f.because}`}`,
    remedy: (f) => `use a value from ${f.min} to ${f.max}`,
  }),
  "too-many": entry<{ what: string; found: number; max: number }>({
    meaning: "A list is longer than its bound.",
    message: (f) => `${f.found} ${f.what}, at most ${f.max} are allowed`,
    remedy: () => "split it",
  }),
  "empty-list": entry<{ what: string }>({
    meaning: "A list that needs at least one item has none.",
    message: (f) => `the list of ${f.what} is empty`,
    remedy: () => "add at least one item, or remove the key where it has a default",
  }),

  // Configuration: chains, routes, steps
  "no-configuration": entry<Record<never, never>>({
    meaning: "No configuration document was found at all.",
    message: () => "there is no configuration document",
    remedy: () => "point to at least one YAML file; an engine that shall do nothing needs a document with `version: 1`",
  }),
  "duplicate-definition": entry<{ kind: string; name: string }>({
    meaning: "Two documents define the same chain or route.",
    message: (f) => `the ${f.kind} \`${f.name}\` is defined twice`,
    remedy: () => "remove or rename one of the two",
  }),
  "unmatched-conflict": entry<Record<never, never>>({
    meaning: "Two documents give different answers for unmatched routes.",
    message: () => "`unmatched` is already set to something else",
    remedy: () => "say it in one document only",
  }),
  "chain-undefined": entry<{ chain: string; suggestion: string | undefined; known: readonly string[] }>({
    meaning: "A route or `unmatched` names a chain that no document defines.",
    message: (f) => `no chain \`${f.chain}\``,
    remedy: (f) =>
      didYouMean(
        f.suggestion,
        f.known.length === 0 ? "define the chain under `chains`" : `use one of: ${listed(f.known)}; or define the chain`,
      ),
  }),
  "chain-disabled": entry<{ chain: string }>({
    meaning: "A route or `unmatched` names a chain that is switched off.",
    message: (f) => `the chain \`${f.chain}\` is disabled`,
    remedy: () => "remove `enabled: false` from the chain, or name another chain",
  }),
  "chain-unused": entry<{ chain: string }>({
    meaning: "No route uses a chain.",
    severity: "warning",
    message: (f) => `no route uses the chain \`${f.chain}\``,
    remedy: () => "add a route, or set `enabled: false`; nothing is wrong when an Envoy route names the chain in its own metadata",
  }),
  "step-duplicate": entry<{ step: string }>({
    meaning: "Two steps of a chain have the same name.",
    message: (f) => `the chain has a step \`${f.step}\` already`,
    remedy: () => "give one of the two another `name`",
  }),
  "policy-reference": entry<{ text: string; example: string }>({
    meaning: "A step's `policy` is not of the form `name@version`.",
    message: (f) => `\`${f.text}\` does not name a policy and its version`,
    remedy: (f) => `write name@version, such as \`${f.example}\``,
  }),
  "policy-unknown": entry<{ policy: string; suggestion: string | undefined; known: readonly string[] }>({
    meaning: "No policy of this name is compiled into the engine.",
    message: (f) => `no policy \`${f.policy}\` in this distribution`,
    remedy: (f) => didYouMean(f.suggestion, f.known.length === 0 ? "build a distribution that has it" : `use one of: ${listed(f.known)}`),
  }),
  "policy-version-unknown": entry<{ policy: string; version: string; versions: readonly string[] }>({
    meaning: "The policy is compiled in, but in no version that fits.",
    message: (f) => `no version of \`${f.policy}\` fits \`@${f.version}\``,
    remedy: (f) => `this distribution has: ${listed(f.versions)}`,
  }),
  "policy-version-zero": entry<{ policy: string; example: string; versions: readonly string[] }>({
    meaning: "`@0` was asked for: any two 0.x releases may be incompatible, so a minor version must be named.",
    message: (f) => `\`${f.policy}@0\` is too wide: any 0.x release may break the one before`,
    remedy: (f) => `name the minor version, such as \`${f.example}\`; this distribution has: ${listed(f.versions)}`,
  }),
  "protects-skip": entry<{ policy: string; setting: string }>({
    meaning: "A step of a policy that keeps somebody out lets the exchange pass when it fails, and nobody has said that this is meant.",
    message: (f) => `\`${f.policy}\` protects: \`${f.setting}: skip\` lets an exchange pass without it`,
    remedy: (f) => `remove \`${f.setting}: skip\`, or add \`acknowledge: [{ code: protects-skip, reason: ... }]\` to the step`,
  }),
  "acknowledge-unknown": entry<{ code: string; suggestion: string | undefined; known: readonly string[] }>({
    meaning: "An acknowledgement names a code that cannot be acknowledged.",
    severity: "warning",
    message: (f) => `\`${f.code}\` is no finding that can be acknowledged`,
    remedy: (f) => didYouMean(f.suggestion, `remove it, or use one of: ${listed(f.known)}`),
  }),
  "acknowledge-unused": entry<{ code: string }>({
    meaning: "An acknowledgement for which there is no finding.",
    severity: "warning",
    message: (f) => `nothing here needs the acknowledgement of \`${f.code}\``,
    remedy: () => "remove it",
  }),
  "metadata-not-written": entry<{ policy: string; key: string; writers: readonly string[] }>({
    meaning: "A step reads shared metadata that no earlier step of the chain writes.",
    message: (f) => `\`${f.policy}\` reads the metadata \`${f.key}\`, which no earlier step writes`,
    remedy: (f) =>
      f.writers.length === 0 ? "no policy of this distribution writes it" : `put a step of ${f.writers.join(" or ")} before it`,
  }),
  "metadata-conflict": entry<{ policy: string; key: string; other: string }>({
    meaning: "Two policies of a chain write the same shared metadata with different schemas.",
    message: (f) => `\`${f.policy}\` and \`${f.other}\` write different things to the metadata \`${f.key}\``,
    remedy: () => "use versions whose manifests agree, or only one of the two in this chain",
  }),
  "streams-not-supported": entry<{ what: string }>({
    meaning: "A policy wants a body chunk by chunk, which this version of the engine does not do yet.",
    message: (f) => `${f.what} wants a streamed body`,
    remedy: () => "streams arrive with a later version: use a policy that buffers",
  }),

  // Parameters of a step
  "parameter-missing": entry<{ parameter: string; description: string | undefined }>({
    meaning: "A parameter that the policy needs is not given.",
    message: (f) => `the parameter \`${f.parameter}\` is missing`,
    remedy: (f) => `add \`${f.parameter}\`${f.description === undefined ? "" : `: ${f.description}`}`,
  }),
  "parameter-unknown": entry<{ parameter: string; suggestion: string | undefined; known: readonly string[] }>({
    meaning: "A parameter that the policy does not have.",
    message: (f) => `unknown parameter \`${f.parameter}\``,
    remedy: (f) =>
      didYouMean(f.suggestion, f.known.length === 0 ? "remove it: there are none here" : `remove it, or use one of: ${listed(f.known)}`),
  }),
  "parameter-type": entry<{ expected: string; found: string }>({
    meaning: "A parameter of another type than the policy takes.",
    message: (f) => `expected ${f.expected}, found ${f.found}`,
    remedy: typeRemedy,
  }),
  "parameter-choice": entry<{ choices: readonly string[]; suggestion: string | undefined }>({
    meaning: "A parameter whose value is not one of those the policy takes.",
    message: (f) => `the value is not one of: ${listed(f.choices)}`,
    remedy: (f) => didYouMean(f.suggestion, `use one of: ${listed(f.choices)}`),
  }),
  "parameter-alternatives": entry<{ quantity: "exactly one" | "at least one"; alternatives: readonly string[] }>({
    meaning: "Of parameters that stand for each other, too few or too many are given.",
    message: (f) => `${f.quantity} of these is needed: ${listed(f.alternatives)}`,
    remedy: (f) => `give ${f.quantity} of them`,
  }),
  "parameter-invalid": entry<{ detail: string; description: string | undefined }>({
    meaning: "A parameter breaks another rule of the policy's schema.",
    message: (f) => `the value ${f.detail}`,
    remedy: (f) => f.description ?? "see the README of the policy",
  }),

  // Expressions and patterns
  "expression-syntax": expressionEntry("A CEL expression cannot be parsed."),
  "expression-type": expressionEntry("An operator or function of a CEL expression does not take values of this type."),
  "expression-unknown-name": expressionEntry("A CEL expression uses a variable, field or function that does not exist."),
  "expression-may-be-missing": expressionEntry("A CEL expression reads a value that may be missing as if it were always there."),
  "expression-upper-case-key": expressionEntry(
    "A CEL expression looks for a header by a name with upper-case letters, which never matches.",
  ),
  "expression-cost": expressionEntry("The cost of a CEL expression has no bound, or is above it."),
  "expression-result-type": expressionEntry("A CEL expression gives a value of another type than this place takes."),
  "expression-pattern": expressionEntry("A regular expression inside a CEL expression is not valid RE2."),
  "pattern-invalid": entry<{ detail: string; remedy: string }>({
    meaning: "A regular expression is not valid RE2.",
    message: (f) => `invalid regular expression: ${f.detail}`,
    remedy: (f) => f.remedy,
  }),

  // Secrets
  "secret-missing": entry<{ reference: string; detail: string }>({
    meaning: "A secret reference whose environment variable or file is not there.",
    message: (f) => `the secret \`${f.reference}\` cannot be read: ${f.detail}`,
    remedy: () => "provide it where the engine runs, or correct the reference",
  }),
  "secret-syntax": entry<Record<never, never>>({
    meaning: "A `${` in a parameter that does not start a secret reference.",
    message: () => "`${` starts no secret reference here",
    remedy: () => "write `${env:NAME}` or `${file:PATH}`, or `$${` for a literal `${`",
  }),
  "secret-misplaced": entry<{ reference: string; place: string }>({
    meaning: "A secret reference in a place where none is resolved: only text inside `parameters` may hold one, and no expression.",
    message: (f) => `the secret reference \`${f.reference}\` is not resolved in ${f.place}`,
    remedy: () => "secret references work in the text parameters of a step, and nowhere else",
  }),

  // Settings
  "address-invalid": entry<{ found: string; detail: string; expected: string }>({
    meaning: "An address to listen on that cannot be read or used.",
    message: (f) => `\`${f.found}\` is no address to listen on: ${f.detail}`,
    remedy: (f) => `write ${f.expected}`,
  }),
  "address-duplicate": entry<{ address: string }>({
    meaning: "Two listeners share one address.",
    message: (f) => `the address \`${f.address}\` is used already`,
    remedy: () => "give each listener its own address",
  }),
  "address-exposed": entry<{ address: string }>({
    meaning: "The admin port can be reached from other machines. It has no authentication.",
    severity: "warning",
    message: (f) => `the admin port \`${f.address}\` can be reached from other machines and asks for no password`,
    remedy: () => "listen on 127.0.0.1, or guard the port by other means",
  }),
  "settings-contradiction": entry<{ detail: string; remedy: string }>({
    meaning: "Two settings that cannot both hold.",
    message: (f) => f.detail,
    remedy: (f) => f.remedy,
  }),

  // Manifests
  "manifest-version": entry<{ found: string }>({
    meaning: "A policy's version is not a semantic version.",
    message: (f) => `\`${f.found}\` is no semantic version`,
    remedy: () => "write MAJOR.MINOR.PATCH, such as `1.0.0` or `2.0.0-rc.1`, without a leading v and without build metadata",
  }),
  "manifest-sdk": entry<{ found: number; supported: number }>({
    meaning: "A policy was written for another generation of the SDK than the engine speaks.",
    message: (f) => `the policy was written for SDK generation ${f.found}, this engine speaks ${f.supported}`,
    remedy: (f) =>
      f.found > f.supported
        ? "build it into a newer engine, or use an older version of the policy"
        : `move the policy to SDK generation ${f.supported}, or use a newer version of it`,
  }),
  "manifest-schema": entry<{ detail: string; remedy: string }>({
    meaning: "A JSON Schema in a manifest is invalid, or says something that strict mode does not accept.",
    message: (f) => `invalid schema: ${f.detail}`,
    remedy: (f) => f.remedy,
  }),
  "manifest-undescribed": entry<{ property: string }>({
    meaning: "A parameter without a description; descriptions become documentation, remedies and types.",
    message: (f) => `the property \`${f.property}\` has no description`,
    remedy: () => "add a `description` of one sentence",
  }),
  "manifest-open-object": entry<Record<never, never>>({
    meaning: "An object schema accepts any key, so that a misspelt parameter would be ignored.",
    message: () => "the object accepts any key",
    remedy: () =>
      "add `additionalProperties: false`; for a map whose keys are data give `additionalProperties` a schema and add `propertyNames`",
  }),

  // Found when a checked configuration is bound to the policies' code
  "policy-create-failed": entry<{ step: string; policy: string; detail: string }>({
    meaning: "A policy refused its parameters or failed to start.",
    message: (f) => `\`${f.policy}\` could not be created for the step \`${f.step}\`: ${f.detail}`,
    remedy: () => "correct the step's parameters, or what the policy says it needs",
  }),
  "policy-create-timeout": entry<{ step: string; policy: string; timeoutMs: number }>({
    meaning: "A policy did not finish starting in time.",
    message: (f) => `\`${f.policy}\` was not created for the step \`${f.step}\` within ${f.timeoutMs} ms`,
    remedy: () => "the policy's `create` must not wait for the network: work that can fail for a while belongs in the background",
  }),
  "handler-shape": entry<{ policy: string; detail: string }>({
    meaning: "What a policy's `create` returned is not an instance as the SDK describes it.",
    message: (f) => `\`${f.policy}\` did not return a policy instance: ${f.detail}`,
    remedy: () =>
      "return an object with a `request` handler, a `response` handler, or both; a fault of the policy, not of the configuration",
  }),
  "when-reads-response": entry<{ step: string; policy: string }>({
    meaning: "A condition reads the response although its step has a request handler, so that it could not be decided once.",
    message: (f) => `the \`when\` of \`${f.step}\` reads \`response\`, but \`${f.policy}\` also acts on the request`,
    remedy: () => "decide by what the request has, or split the step: one for the request, one for the response",
  }),
  "response-headers-not-sent": entry<{ chain: string; step: string }>({
    meaning: "A chain acts on response headers, but the settings promise neither that Envoy sends them nor that it obeys overrides.",
    message: (f) => `the step \`${f.step}\` of the chain \`${f.chain}\` needs response headers, which Envoy is not said to send`,
    remedy: () =>
      "set `envoy.allowModeOverride: true` in the settings when Envoy's filter has `allow_mode_override: true`, or `envoy.responseHeaders: sent` when its `response_header_mode` is SEND",
  }),
} as const;

/** YAML reads `1.0`, `true` and the like as something else than text: the usual cause where text is expected. */
function typeRemedy(facts: { readonly expected: string; readonly found: string }): string {
  const unquoted = facts.found === "a number" || facts.found === "true" || facts.found === "false";
  return facts.expected.startsWith("text") && unquoted ? "put the value in quotes to make it text" : `write ${facts.expected} here`;
}

/** A fault inside an expression: the compiler has the words, since they depend on the user's own text. */
function expressionEntry(meaning: string): Entry<{ message: string; remedy: string }> {
  return { meaning, message: (f) => f.message, remedy: (f) => f.remedy };
}

export type ErrorCode = keyof typeof problemCatalogue;

type FactsOf<Code extends ErrorCode> = (typeof problemCatalogue)[Code] extends Entry<infer Facts> ? Facts : never;

/** Builds a problem from its code and facts. */
export function problem<Code extends ErrorCode>(
  code: Code,
  where: Pick<Problem, "position" | "path" | "related">,
  facts: FactsOf<Code>,
): Problem {
  const { message, remedy, severity = "error" } = problemCatalogue[code] as unknown as Entry<FactsOf<Code>>;
  return { code, severity, message: message(facts), remedy: remedy(facts), ...where };
}

interface Failure {
  /** One sentence for the documentation: when this happens. */
  readonly meaning: string;
  /** HTTP status the client gets. */
  readonly status: number;
  /** What the client is told: the title of the problem details. */
  readonly title: string;
  /** For the log and the documentation: how to mend it. */
  readonly remedy: string;
}

function failure(status: number, title: string, meaning: string, remedy: string): Failure {
  return { status, title, meaning, remedy };
}

/** Failures of an exchange: the engine answers in place of the upstream. Rows of the failure contract in SECURITY.md. */
export const failureCatalogue = {
  "policy-failed": failure(
    500,
    "Internal Server Error",
    "A step's handler threw, rejected, returned something that is no reply, or made a change that HTTP or the engine's rules forbid.",
    "read the cause in the log under the decision id; `onError: skip` lets the chain go on without the step",
  ),
  "policy-timeout": failure(
    504,
    "Gateway Timeout",
    "A step's promise was not settled within its `timeout` or what was left of the message budget.",
    "find out what the step waits for; raise the step's `timeout` or the settings' `envoy.messageTimeout`",
  ),
  "condition-failed": failure(
    500,
    "Internal Server Error",
    "A step's `when` failed while it was evaluated.",
    "read the cause in the log under the decision id; use `?` and `orValue` for values that may be missing",
  ),
  "identity-missing": failure(
    500,
    "Internal Server Error",
    "Envoy did not say which route the request matched in the way that the settings expect.",
    "configure `request_attributes: [xds.route_name]` and `initial_metadata` `x-route: r:%ROUTE_NAME%` in Envoy's filter, or change the settings' `envoy.identity`; a route name that is not ASCII comes by attributes only",
  ),
  "identity-conflict": failure(
    500,
    "Internal Server Error",
    "Envoy's attributes and metadata name different routes or chains.",
    "look for another filter or proxy that writes `x-route` or `x-policy-chain`, and for a second ext_proc filter",
  ),
  "no-route": failure(
    404,
    "Not Found",
    "Envoy matched no route: it would answer 404 itself.",
    "nothing to mend unless the path should exist",
  ),
  "route-unnamed": failure(
    500,
    "Internal Server Error",
    "The route has no name and names no chain in its metadata, and `unmatched` is `deny`.",
    "give the route a name in Envoy's configuration, or name the chain in its `filter_metadata`",
  ),
  "route-unknown": failure(
    500,
    "Internal Server Error",
    "No chain knows the route's name, and `unmatched` is `deny`.",
    "add the route's name under `routes` in the configuration",
  ),
  "chain-unknown": failure(
    500,
    "Internal Server Error",
    "The route's own metadata names a chain that does not exist.",
    "add the chain to the configuration or correct `filter_metadata` of the route",
  ),
  "chain-conflict": failure(
    500,
    "Internal Server Error",
    "The route's own metadata names another chain than `routes` does.",
    "make both name the same chain, or name it in one place only",
  ),
  "path-not-normal": failure(
    400,
    "Bad Request",
    "The path is not in normal form (`//`, a dot segment, a backslash, `%2F`, `%5C`, `%00`, a percent-encoded letter or digit, bytes beyond ASCII): policies and upstream could read it differently.",
    "switch on `normalize_path`, `merge_slashes` and `path_with_escaped_slashes_action` in Envoy, or set `rawPath: true` on the chain",
  ),
  "not-ready": failure(
    503,
    "Service Unavailable",
    "No valid configuration has been loaded yet.",
    "read the reason in `/readyz` or the log and mend the configuration",
  ),
  "request-headers-missing": failure(
    500,
    "Internal Server Error",
    "The first message of the exchange was not the request's headers.",
    "set `request_header_mode: SEND` in Envoy's filter",
  ),
  "response-headers-missing": failure(
    500,
    "Internal Server Error",
    "Envoy sent a later part of the response without its headers, so response handlers could not run.",
    "set `allow_mode_override: true` or `response_header_mode: SEND` in Envoy's filter and say so in the settings",
  ),
  "upgrade-refused": failure(
    403,
    "Forbidden",
    "The request asks for another protocol (or is a CONNECT), and a step waits for a body, which then never ends.",
    "take the step off this route, or set `onUpgrade: skip` on it if upgraded connections may pass without it",
  ),
  "stream-refused": failure(
    502,
    "Bad Gateway",
    "The response is a stream of server-sent events, and a step waits for its whole body, which never comes.",
    "take the step off this route, or set `onStream: skip` on it if streams may pass without it",
  ),
  "request-too-large": failure(
    413,
    "Content Too Large",
    "A step waits for the request's body, and the body is larger than the limit, as it comes or decoded.",
    "raise `envoy.bodyBytesMax` in the settings (and the buffers of Envoy with it), or the chain's `bodyBytesMax`",
  ),
  "response-too-large": failure(
    502,
    "Bad Gateway",
    "A step waits for the response's body, and the body is larger than the limit, as it comes or decoded.",
    "raise `envoy.bodyBytesMax` in the settings (and the buffers of Envoy with it), or the chain's `bodyBytesMax`",
  ),
  "request-coding": failure(
    415,
    "Unsupported Media Type",
    "A step waits for the request's body, whose content coding is not gzip, or whose bytes are not what the coding says.",
    "send the body without content coding, or as gzip",
  ),
  "response-coding": failure(
    502,
    "Bad Gateway",
    "A step waits for the response's body, whose content coding is not gzip, or whose bytes are not what the coding says.",
    "let the upstream send gzip or nothing, for example by setting `accept-encoding` in a step before",
  ),
  "body-missing": failure(
    400,
    "Bad Request",
    "A step waits for the request's body, and there were trailers instead of one.",
    "send a body, or none and no trailers",
  ),
  "body-not-sent": failure(
    500,
    "Internal Server Error",
    "A step waits for a body, and Envoy does not send it: overrides are not promised, or one was ignored.",
    "set `allow_mode_override: true` in Envoy's filter and `envoy.allowModeOverride: true` in the settings, or the body mode BUFFERED with trailers SEND on the route",
  ),
  "mutation-limit": failure(
    500,
    "Internal Server Error",
    "A chain changed more headers than Envoy takes in one message.",
    "change fewer headers: at most 100 removals and 100 values in one direction",
  ),
  "unexpected-message": failure(
    500,
    "Internal Server Error",
    "Envoy sent a message that cannot follow the one before it.",
    "report it with Envoy's version and configuration: this is a fault of the engine or of the proxy",
  ),
  "internal-error": failure(
    500,
    "Internal Server Error",
    "The engine itself failed.",
    "report it with the log lines under the decision id: this is a fault of the engine",
  ),
} as const satisfies Record<string, Failure>;

export type FailureCode = keyof typeof failureCatalogue;
