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

/** Where in a document: the place in its text, and the path in what it says. */
export type Where = Pick<Problem, "position" | "path">;

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
  /** Where the configuration can say, with a reason, that a finding is meant; unsaid: nowhere. */
  readonly acknowledge?: "step" | "chain";
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

/** How to say that a finding of a step is meant. */
const acknowledging = (code: string): string => `add \`acknowledge: [{ code: ${code}, reason: ... }]\` to the step`;

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
    remedy: () => "point to at least one YAML file; an engine that shall deny everything needs `version: 1` and `unmatched: deny`",
  }),
  "duplicate-definition": entry<{ kind: string; name: string }>({
    meaning: "Two documents define the same chain or route, or settings name two providers alike.",
    message: (f) => `the ${f.kind} \`${f.name}\` is defined twice`,
    remedy: () => "remove or rename one of the two",
  }),
  "definition-shadowed": entry<{ what: string; provider: string }>({
    meaning: "Two providers define the same, and that of the higher precedence counts. What the other one says is not even checked.",
    severity: "warning",
    message: (f) => `${f.what} is not used: the provider \`${f.provider}\` defines it too and has precedence`,
    remedy: () => "nothing, if it is meant; else remove or rename one of the two",
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
  "settings-given": entry<{ keys: readonly string[] }>({
    meaning: "A document that says how the engine runs stands where one is expected that says what chains do.",
    message: (f) => `this is a settings file, not a configuration: it has ${listed(f.keys)}`,
    remedy: () => "give it to `--settings`; here belong the files with `chains` and `routes`, which its `providers` name",
  }),
  "everything-denied": entry<Record<never, never>>({
    meaning: "A configuration has neither routes nor chains, and nobody has said that this is meant: every exchange is denied.",
    severity: "warning",
    message: () => "there are no routes and no chains: every exchange is denied",
    remedy: () => "add `routes` and `chains`, or say aloud `unmatched: deny`",
  }),
  "chain-unused": entry<{ chain: string }>({
    meaning: "No route uses a chain.",
    severity: "warning",
    acknowledge: "chain",
    message: (f) => `no route uses the chain \`${f.chain}\``,
    remedy: () =>
      "add a route, or set `enabled: false`; when an Envoy route names the chain in its own metadata, add `acknowledge: [{ code: chain-unused, reason: ... }]` to the chain",
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
    remedy: (f) => {
      if (f.known.length === 0) return "build a distribution that has it";
      const other = didYouMean(f.suggestion, `use one of: ${listed(f.known)};`);
      return `${other} one of your own must be built in, see docs/building.md`;
    },
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
    acknowledge: "step",
    message: (f) => `\`${f.policy}\` protects: \`${f.setting}: skip\` lets an exchange pass without it`,
    remedy: (f) => `remove \`${f.setting}: skip\`, or ${acknowledging("protects-skip")}`,
  }),
  "protects-unreachable": entry<{ policy: string; because: string }>({
    meaning: "A step of a policy that keeps somebody out never runs, so that what it should guard is open.",
    acknowledge: "step",
    message: (f) => `\`${f.policy}\` protects, and never runs here: ${f.because}`,
    remedy: () => `move it to where it runs, remove it, or ${acknowledging("protects-unreachable")}`,
  }),
  "step-unreachable": entry<{ because: string }>({
    meaning: "A step never runs.",
    severity: "warning",
    acknowledge: "step",
    message: (f) => `this step never runs: ${f.because}`,
    remedy: () => `move it to where it runs, remove it, or ${acknowledging("step-unreachable")}`,
  }),
  "header-overwritten": entry<{ header: string; direction: "request" | "response"; other: string }>({
    meaning: "Two steps always set one header, so that what one of them sets is always lost.",
    severity: "warning",
    acknowledge: "step",
    message: (f) =>
      f.direction === "request"
        ? `\`${f.header}\` is set here and by the earlier step \`${f.other}\`, whose value is always lost`
        : `\`${f.header}\` is set here and by the step \`${f.other}\`, which comes later on the response: what is set here is always lost`,
    remedy: () => `let one step set it, put one of the two under a condition, or ${acknowledging("header-overwritten")}`,
  }),
  "identity-forgeable": entry<{ header: string; because: string }>({
    meaning: "A request header that says who the caller is may keep what the client sent under its name.",
    acknowledge: "step",
    message: (f) =>
      `\`${f.header}\` says who the caller is, and ${f.because} what the client sent as \`${f.header}\` may reach the upstream`,
    remedy: (f) =>
      `set it always, with the condition inside its value; or remove \`${f.header}\` before, in a step that always runs; or ${acknowledging("identity-forgeable")}`,
  }),
  "acknowledge-unknown": entry<{ code: string; place: string; suggestion: string | undefined; known: readonly string[] }>({
    meaning: "An acknowledgement names a code that cannot be acknowledged in its place.",
    severity: "warning",
    message: (f) => `\`${f.code}\` is no finding that can be acknowledged in a ${f.place}`,
    remedy: (f) => didYouMean(f.suggestion, `remove it, or use one of: ${listed(f.known)}`),
  }),
  "acknowledge-unused": entry<{ code: string }>({
    meaning: "An acknowledgement for which there is no finding.",
    severity: "warning",
    message: (f) => `nothing here needs the acknowledgement of \`${f.code}\``,
    remedy: () => "remove it",
  }),
  "metadata-not-written": entry<{ policy: string; key: string; later: string | undefined; writers: readonly string[] }>({
    meaning: "A step reads shared metadata that no earlier step of the chain writes.",
    acknowledge: "step",
    message: (f) =>
      `\`${f.policy}\` reads the metadata \`${f.key}\`, which ${f.later === undefined ? "no earlier step writes" : `only a later step writes, \`${f.later}\``}`,
    remedy: (f) => {
      if (f.later !== undefined) return "put that step before this one";
      return f.writers.length === 0 ? "no policy of this distribution writes it" : `put a step of ${f.writers.join(" or ")} before it`;
    },
  }),
  "settings-metadata-unwritten": entry<{ value: string; suggestion: string | undefined; known: readonly string[] }>({
    meaning: "The settings send a value of the shared metadata to Envoy that no step of any chain writes.",
    severity: "warning",
    message: (f) => `no step writes \`${f.value}\`, so Envoy is never told it`,
    remedy: (f) =>
      didYouMean(
        f.suggestion,
        f.known.length === 0 ? "remove it: no step writes anything" : `remove it, or use one of: ${listed(f.known)}`,
      ),
  }),
  "record-target-invalid": entry<Record<string, never>>({
    meaning: "Decisions or spans are sent to a place that is none.",
    message: () => "this is no place for decisions or spans",
    remedy: () =>
      "write `otlp:URL` with a collector's address, such as `otlp:http://127.0.0.1:4318`, without user, password and query; decisions also go to `stdout` or `file:PATH`",
  }),
  "header-secret": entry<{ header: string }>({
    meaning: "The decision log is asked for a header whose name tells of credentials.",
    message: (f) => `\`${f.header}\` may hold a credential, which is never written to the decision log`,
    remedy: () => "remove it, or let a policy write what may be seen under another name",
  }),
  "metadata-conflict": entry<{ policy: string; key: string; other: string }>({
    meaning: "Two policies of a chain write the same shared metadata with different schemas.",
    acknowledge: "step",
    message: (f) => `\`${f.policy}\` and \`${f.other}\` write different things to the metadata \`${f.key}\``,
    remedy: () => "use versions whose manifests agree, or only one of the two in this chain",
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
  "secret-not-allowed": entry<{ reference: string; provider: string }>({
    meaning: "Text from elsewhere uses a secret that the settings do not allow to it.",
    message: (f) => `the provider \`${f.provider}\` may not use the secret \`${f.reference}\``,
    remedy: (f) => `if it shall, add \`${f.reference.slice(2, -1)}\` to \`secrets.allow\` in the engine's settings`,
  }),
  "secret-syntax": entry<Record<never, never>>({
    meaning: "A `${` in a parameter that does not start a secret reference.",
    message: () => "`${` starts no secret reference here",
    remedy: () => "write `${env:NAME}` or `${file:PATH}`, or `$${` for a literal `${`",
  }),
  "secret-misplaced": entry<{ reference: string; place: string }>({
    meaning: "A secret reference in a place where none is resolved: only text inside `parameters` may hold one, and no expression.",
    message: (f) => `the secret reference \`${f.reference}\` is not resolved in ${f.place}`,
    remedy: () => "secret references work in the text parameters of a step and in the `token` of a provider, and nowhere else",
  }),

  "secret-literal": entry<{ what: string }>({
    meaning: "A secret stands in the file itself, where everybody reads it who reads the configuration.",
    severity: "warning",
    acknowledge: "step",
    message: (f) => `${f.what} stands here in clear text`,
    remedy: () => `keep it in a file or a variable and write \`\${file:PATH}\` or \`\${env:NAME}\`, or ${acknowledging("secret-literal")}`,
  }),

  // Settings
  "address-invalid": entry<{ found: string; detail: string; expected: string }>({
    meaning: "An address that cannot be read or used.",
    message: (f) => `\`${f.found}\` is no address: ${f.detail}`,
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
  "provider-address": entry<{ detail: string }>({
    meaning: "The address of a document that cannot be used.",
    message: (f) => `no document can be read from this address: ${f.detail}`,
    remedy: () => "write an address such as `https://config.example.com/policies.yaml`",
  }),
  "provider-in-clear": entry<{ address: string; remedy: string }>({
    meaning: "Configuration from another machine without TLS: whoever is on the way would decide who gets in.",
    message: (f) => `configuration must not come from \`${f.address}\` in clear text`,
    remedy: (f) => `${f.remedy}; without TLS only on this machine`,
  }),
  "state-missing": entry<Record<never, never>>({
    meaning:
      "Configuration comes from another machine and the last good one is not kept: a restart while that machine is away would deny everything.",
    severity: "warning",
    message: () => "after a restart while a provider is away every exchange would be denied",
    remedy: () => "add `state: FOLDER`, where the last good configuration is kept",
  }),
  "settings-contradiction": entry<{ detail: string; remedy: string }>({
    meaning: "Two settings that cannot both hold.",
    message: (f) => f.detail,
    remedy: (f) => f.remedy,
  }),

  // Worker processes
  "workers-failed": entry<{ detail: string }>({
    meaning: "The worker processes could not all prepare a configuration, twice. None of them uses it.",
    message: (f) => `the workers do not take this configuration: ${f.detail}`,
    remedy: () =>
      "look for a policy whose `create` blocks or ends the process, and for what the log says of the workers; then deliver it again",
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
  "manifest-headers": entry<{ detail: string; remedy: string }>({
    meaning: "What a manifest says of the headers that the policy writes does not fit its parameters.",
    message: (f) => `invalid header declaration: ${f.detail}`,
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

  // Policy folders
  "policy-file-missing": entry<{ file: string; why: string; remedy: string }>({
    meaning: "A policy folder, or a package that policies share, lacks a file that it must have.",
    message: (f) => `there is no ${f.file}: ${f.why}`,
    remedy: (f) => f.remedy,
  }),
  "policy-folder-name": entry<{ key: "name" | "version"; written: string; folder: string }>({
    meaning: "A manifest says another name or version than the folders that it is in.",
    message: (f) => `the ${f.key} is \`${f.written}\`, the folder says \`${f.folder}\``,
    remedy: () => "rename the folder, NAME/vVERSION, or correct the manifest",
  }),
  "policy-twice": entry<{ policy: string; sources: readonly string[] }>({
    meaning: "Two folders hold the same version of the same policy: one of them would be left out.",
    message: (f) => `\`${f.policy}\` comes from two places: ${listed(f.sources)}`,
    remedy: () => "remove one of them, or give one another version",
  }),
  "policy-package": entry<{ detail: string; remedy: string }>({
    meaning: "The package.json of a policy is not what npm reads.",
    message: (f) => `package.json ${f.detail}`,
    remedy: (f) => f.remedy,
  }),
  "parameters-stale": entry<Record<never, never>>({
    meaning: "The types in parameters.ts are not those that follow from the manifest.",
    message: () => "parameters.ts does not say what policy.yaml says",
    remedy: () => "run `policy-engine lint --fix`, which writes it anew; nobody edits it",
  }),
  "cases-without-denial": entry<{ policy: string }>({
    meaning: "A policy that exists to keep somebody out has no case in which it does.",
    message: (f) => `\`${f.policy}\` protects, and no case shows that it keeps somebody out`,
    remedy: () => "add a case that expects a `reply` with a status from 400 on",
  }),
  "module-syntax": entry<{ detail: string; remedy: string }>({
    meaning: "A module of a policy cannot be parsed, or has TypeScript syntax that is more than types.",
    message: (f) => f.detail,
    remedy: (f) => f.remedy,
  }),
  "module-default-export": entry<Record<never, never>>({
    meaning: "The index.ts of a policy does not export its definition.",
    message: () => "there is no default export: it is the policy's definition",
    remedy: () => "write `export default { create(parameters, context) { ... } } satisfies PolicyDefinition<Parameters>;`",
  }),
  "module-import": entry<{ specifier: string; why: string; remedy: string }>({
    meaning:
      "A policy imports something that it may not: the engine, another policy, a package that it does not name, what reaches the outside world.",
    message: (f) => `\`${f.specifier}\` must not be imported: ${f.why}`,
    remedy: (f) => f.remedy,
  }),
  "module-import-missing": entry<{ specifier: string }>({
    meaning: "A module of a policy imports a file that is not in the policy's folder.",
    message: (f) => `there is no file \`${f.specifier}\``,
    remedy: () => "add the file or correct the path, which ends with the file's own suffix, such as `.ts`",
  }),
  "module-global": entry<{ name: string; why: string; remedy: string }>({
    meaning: "A policy uses a global that its context stands for: clock, randomness, timers, calls, log.",
    message: (f) => `\`${f.name}\` must not be used: ${f.why}`,
    remedy: (f) => f.remedy,
  }),
  "module-mutation": entry<{ part: string }>({
    meaning: "A policy changes path, query, method or host without saying so in its manifest; it would fail at run time.",
    message: (f) => `\`request.${f.part}\` is set, and the manifest does not say so`,
    remedy: (f) => `add \`${f.part}\` to \`mutates\` in policy.yaml: Envoy must allow it`,
  }),

  // Policy folders that shall be published, looked at by `policy-engine lint --preset strict`
  "publish-summary": entry<{ detail: string }>({
    meaning: "The summary of a policy does not fit into a list of policies.",
    message: (f) => `the summary ${f.detail}`,
    remedy: () => "say in one sentence of at most 120 characters, with a period, what the policy does",
  }),
  "publish-readme": entry<{ detail: string; remedy: string }>({
    meaning: "The README of a policy lacks something that its users look for.",
    message: (f) => `the README ${f.detail}`,
    remedy: (f) => f.remedy,
  }),
  "publish-example": entry<{ property: string }>({
    meaning: "Nobody can see from the schema what a value of a parameter looks like.",
    message: (f) => `the property \`${f.property}\` has no example`,
    remedy: () => "add `examples` with a typical value; a `default` or an `enum` will do too",
  }),
  "publish-package": entry<{ detail: string; remedy: string }>({
    meaning: "A policy cannot be published as an npm package as it is.",
    message: (f) => `package.json ${f.detail}`,
    remedy: (f) => f.remedy,
  }),
  "publish-case": entry<{ parameter: string }>({
    meaning: "No case of a policy uses one of its parameters.",
    message: (f) => `no case uses the parameter \`${f.parameter}\``,
    remedy: () => "add a case that shows what it does",
  }),

  // Building a distribution
  "distribution-source": entry<{ given: readonly string[] }>({
    meaning: "An item of a distribution's `policies` says nowhere, or in more than one way, where the policy comes from.",
    message: (f) =>
      f.given.length === 0 ? "this says nowhere where the policy comes from" : `this names several places: ${listed(f.given)}`,
    remedy: () => "give exactly one of `shipped`, `folder`, `npm` and `tarball`",
  }),
  "source-unavailable": entry<{ source: string; detail: string; remedy: string }>({
    meaning: "What a distribution takes a policy from cannot be had.",
    message: (f) => `\`${f.source}\` cannot be had: ${f.detail}`,
    remedy: (f) => f.remedy,
  }),
  "source-without-policy": entry<{ source: string }>({
    meaning: "What a distribution takes a policy from holds none.",
    message: (f) => `no policy in \`${f.source}\``,
    remedy: () => "name a folder with a `policy.yaml`, or one that holds such folders as vVERSION or NAME/vVERSION",
  }),
  "lock-missing": entry<Record<never, never>>({
    meaning: "A locked build has no lock file.",
    message: () => "there is no lock file, and this build is locked",
    remedy: () => "build once with `--update` and commit the lock file",
  }),
  "lock-unreadable": entry<{ detail: string }>({
    meaning: "A lock file is not what the builder writes.",
    message: (f) => `the lock file cannot be read: ${f.detail}`,
    remedy: () => "restore it, or write it anew with `--update`",
  }),
  "lock-changed": entry<{ what: string; locked: string; found: string }>({
    meaning: "Something is not what the lock file says, and the build is locked.",
    message: (f) => `${f.what} is not what the lock says: locked ${f.locked}, found ${f.found}`,
    remedy: () => "undo the change, or accept it with `--update` and commit the lock file",
  }),
  "lock-integrity": entry<{ what: string; locked: string; found: string }>({
    meaning: "A package or a tarball has other bytes than those that were locked: somebody replaced it.",
    message: (f) => `${f.what} has been replaced: locked ${f.locked}, found ${f.found}`,
    remedy: () => "find out who replaced it and why; only when that is known, accept it with `--update`",
  }),
  "dependencies-unresolved": entry<{ detail: string }>({
    meaning: "The package manager npm cannot resolve or install what the policies depend on.",
    message: (f) => `npm cannot bring what the policies depend on: ${f.detail}`,
    remedy: () => "mend what npm says (all of it with `--verbose`): the names and ranges stand in the policies' package.json",
  }),
  "policy-types": entry<{ policy: string; detail: string }>({
    meaning: "The compiler refuses a policy.",
    message: (f) => `\`${f.policy}\` does not compile: ${f.detail}`,
    remedy: () => "correct the code; its parameters have the types that follow from the schema in policy.yaml",
  }),
  "policy-import": entry<{ policy: string; specifier: string }>({
    meaning: "A policy imports a module that is not there.",
    message: (f) => `\`${f.policy}\` imports \`${f.specifier}\`, which is not there`,
    remedy: (f) =>
      f.specifier.startsWith(".")
        ? "add the file, or correct the path; it ends with `.ts`"
        : `add \`${f.specifier}\` to \`dependencies\` in the policy's package.json, or correct the name`,
  }),
  "policy-reaches-out": entry<{ policy: string; imported: string }>({
    meaning: "A policy imports a file that is neither its own nor that of a package it depends on.",
    message: (f) => `\`${f.policy}\` imports \`${f.imported}\`, which is not its own`,
    remedy: () => "copy what it needs, or make it a package that the policy depends on",
  }),
  "bundle-failed": entry<{ detail: string }>({
    meaning: "The bundler cannot put the distribution together.",
    message: (f) => `the bundle cannot be made: ${f.detail}`,
    remedy: () => "correct the code at this place; packages that need a compiled addon cannot go into a bundle",
  }),
  "self-test-failed": entry<{ policy: string; detail: string; remedy: string }>({
    meaning: "A built distribution does not do in its self-test what it should.",
    message: (f) => `\`${f.policy}\` fails in the built distribution: ${f.detail}`,
    remedy: (f) => f.remedy,
  }),
  "output-occupied": entry<{ folder: string }>({
    meaning: "The folder for the distribution holds something else.",
    message: (f) => `\`${f.folder}\` holds something that no build has made`,
    remedy: () => "name an empty or a new folder with `--out`",
  }),
  "image-failed": entry<{ tag: string; detail: string }>({
    meaning: "A container image of the distribution cannot be made.",
    message: (f) => `the image \`${f.tag}\` cannot be made: ${f.detail}`,
    remedy: () => "see what Docker says with `--verbose`; the distribution itself is complete",
  }),

  // Case files
  "case-invalid": entry<{ detail: string; remedy: string | undefined }>({
    meaning: "A value in a case file breaks a rule of the format.",
    message: (f) => `the value ${f.detail}`,
    remedy: (f) => f.remedy ?? "write it as `policy-engine schema cases` describes it",
  }),
  "case-config": entry<{ detail: string }>({
    meaning: "A configuration that a case file names cannot be read.",
    message: (f) => f.detail,
    remedy: () => "correct the path, which starts at the folder of the case file",
  }),
  "case-policy": entry<{ detail: string }>({
    meaning: "The policy that a case file is about cannot be loaded.",
    message: (f) => `the policy cannot be loaded: ${f.detail}`,
    remedy: () => "`policy-engine lint` says more; packages that it needs are installed with npm in its folder",
  }),
  "case-duplicate": entry<{ name: string }>({
    meaning: "Two cases of a file have the same name, so that a report could mean either.",
    message: (f) => `a case is called \`${f.name}\` already`,
    remedy: () => "rename one of the two",
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

  "body-limit-unused": entry<{ chain: string }>({
    meaning: "A chain limits bodies and no step of it waits for one: the limit holds only for bodies that a step waits for.",
    severity: "warning",
    acknowledge: "chain",
    message: (f) => `no step of the chain \`${f.chain}\` waits for a body: the limit has no effect, bodies of any size pass`,
    remedy: () =>
      "remove it and limit bodies in Envoy or with a policy that reads them, or add `acknowledge: [{ code: body-limit-unused, reason: ... }]` to the chain",
  }),
  "body-limit-zero": entry<{ chain: string; step: string }>({
    meaning: "A chain allows no bodies, and a step of it waits for one: whatever has a body is refused.",
    severity: "warning",
    acknowledge: "chain",
    message: (f) => `the step \`${f.step}\` waits for a body, and the chain \`${f.chain}\` allows none: every body is refused`,
    remedy: () =>
      "raise `bodyBytesMax`, or leave it out for the settings' limit; where no body is meant, add `acknowledge: [{ code: body-limit-zero, reason: ... }]` to the chain",
  }),

  // A running Envoy and its engines, looked at by `policy-engine doctor`; the worst first: it is reported in this order
  "doctor-probe-passed": entry<{ status: number; expected: string }>({
    meaning: "A request that the chain must deny was let through, and no policy of the engine has answered it.",
    message: (f) => `the probe got ${f.status} and not ${f.expected} from the engine: it passed`,
    remedy: () =>
      "mend what else is found here; where nothing is, check that the route's chain denies this request: `policy-engine test` shows it",
  }),
  "doctor-not-asked": entry<{ entrance: string; time: string; answered: number; asked: number; ways: readonly string[] }>({
    meaning: "Envoy let requests through that it did not ask the engine about. No counter of ext_proc shows that by itself.",
    message: (f) =>
      `\`${f.entrance}\` let ${f.answered} requests through in ${f.time} and asked the engine about ${f.asked}: requests pass without it`,
    remedy: (f) =>
      f.ways.length === 0
        ? 'mend what else is found here, first of all `initial_metadata`; then Envoy\'s log: "Not supported field in StreamInfo" is an operator that it does not know'
        : `mend what else is found here; what may pass by is ${listed(f.ways)}`,
  }),
  "doctor-failed-open": entry<{ entrance: string; time: string; requests: number }>({
    meaning: "Envoy could not ask the engine and let requests through, as `failure_mode_allow` says.",
    message: (f) => `\`${f.entrance}\` let ${f.requests} requests through in ${f.time} because the engine did not answer`,
    remedy: () => "set `failure_mode_allow: false`, in the filter and on routes",
  }),
  "doctor-observed": entry<{ time: string; count: number }>({
    meaning: "Envoy tells the engine about requests without waiting for its answers.",
    message: (f) => `${f.count} messages in ${f.time} were only for the engine to see: no policy has any effect on them`,
    remedy: () => "remove `observability_mode` from the ext_proc filter",
  }),
  "doctor-probe-unseen": entry<{ status: number; expected: string }>({
    meaning: "A request that the chain must deny was denied by somebody else than the engine.",
    message: (f) => `the probe got ${f.status} without \`x-decision-id\`: Envoy or the upstream has answered, not the engine`,
    remedy: () =>
      "a 5xx: mend what else is found here; else give the URL of a route whose chain denies, and check that the request gets that far",
  }),
  "doctor-probe-unexpected": entry<{ status: number; expected: string }>({
    meaning: "The engine has answered a request that it must deny, and otherwise than was expected.",
    message: (f) => `the engine answered the probe with ${f.status} and not ${f.expected}`,
    remedy: () => "the engine's log has the cause under the answer's `x-decision-id`",
  }),
  "doctor-probe-failed": entry<{ detail: string }>({
    meaning: "A request that the chain must deny could not be sent, or was redirected.",
    message: (f) => `the probe could not be sent: ${f.detail}`,
    remedy: () => "give a URL that leads to Envoy, as clients use it",
  }),
  "doctor-no-engine": entry<{ cluster: string; total: number }>({
    meaning: "No engine of Envoy's cluster is healthy: Envoy answers every request with an error, or lets it through where it fails open.",
    message: (f) =>
      f.total === 0
        ? `there is no engine in the cluster \`${f.cluster}\`, or no such cluster`
        : `none of the ${f.total} engines of the cluster \`${f.cluster}\` is healthy`,
    remedy: () => "start an engine where the cluster looks for it, with a valid configuration: its `/readyz` says what it lacks",
  }),
  "doctor-engine-not-ready": entry<Record<never, never>>({
    meaning: "An engine says that it is not ready.",
    message: () => "the engine is not ready: Envoy does not ask it, or everything is a 503",
    remedy: () => "`/readyz` has the reason",
  }),
  "doctor-body-not-sent": entry<{ time: string; count: number }>({
    meaning: "Exchanges ended while a step waited for a body, so that the step did not run.",
    message: (f) =>
      `${f.count} exchanges in ${f.time} ended before the body that a step waits for: Envoy ignores an override, or clients left`,
    remedy: () =>
      "let Envoy send the bodies by its own configuration, as `policy-engine envoy` prints it, or set `allow_mode_override: true`",
  }),
  "doctor-all-refused": entry<{ time: string; count: number }>({
    meaning: "The engine itself has refused every exchange: no policy has decided.",
    severity: "warning",
    message: (f) => `the engine itself refused all ${f.count} exchanges that ended in ${f.time}`,
    remedy: () => "its log says why: often Envoy does not say which route matched, or requests match no route that the configuration knows",
  }),
  "doctor-overflow": entry<{ cluster: string; time: string; count: number }>({
    meaning: "The circuit breakers of the engines' cluster have refused requests.",
    message: (f) => `the circuit breakers of the cluster \`${f.cluster}\` refused ${f.count} requests in ${f.time}`,
    remedy: () => "raise `max_requests`, `max_pending_requests` and `max_connections` as `policy-engine envoy` prints them",
  }),
  "doctor-message-timeouts": entry<{ entrance: string; time: string; count: number }>({
    meaning: "Envoy did not wait for an answer of the engine: the client got a 504.",
    message: (f) => `${f.count} answers of the engine came too late for \`${f.entrance}\` in ${f.time}`,
    remedy: () => "set `message_timeout` as the settings' `envoy.messageTimeout`; the engine's `/metrics` show which step is slow",
  }),
  "doctor-streams-failed": entry<{ entrance: string; time: string; count: number }>({
    meaning: "Streams to the engine failed: their requests were answered with an error.",
    message: (f) => `${f.count} streams of \`${f.entrance}\` to the engine failed in ${f.time}`,
    remedy: () => "see whether an engine is away; Envoy's access log has the cause in %RESPONSE_CODE_DETAILS%",
  }),
  "doctor-spurious-messages": entry<{ entrance: string; time: string; count: number }>({
    meaning: "Envoy got answers from the engine that it does not expect.",
    message: (f) => `\`${f.entrance}\` did not expect ${f.count} answers of the engine in ${f.time}`,
    remedy: () => "mend the body modes that are found here; where none is, report it with Envoy's version and configuration",
  }),
  "doctor-mutations-rejected": entry<{ entrance: string; time: string; count: number }>({
    meaning: "Envoy has refused changes of headers that policies made.",
    message: (f) => `\`${f.entrance}\` refused ${f.count} changes of headers in ${f.time}`,
    remedy: () => "give the filter the `mutation_rules` that `policy-engine envoy` prints",
  }),
  "doctor-partly-asked": entry<{ entrance: string; time: string; answered: number; asked: number; ways: readonly string[] }>({
    meaning: "Envoy did not ask the engine about some requests, and something in its configuration may be the reason.",
    severity: "warning",
    message: (f) => `\`${f.entrance}\` answered ${f.answered} requests in ${f.time} and asked the engine about ${f.asked}`,
    remedy: (f) =>
      f.ways.length === 0
        ? "Envoy's access log says which ones: those it refuses itself are no harm"
        : `make sure that the others are meant to pass by; what may do that is ${listed(f.ways)}`,
  }),
  "doctor-engines-away": entry<{ cluster: string; total: number; healthy: number }>({
    meaning: "Some engines of Envoy's cluster are not healthy.",
    severity: "warning",
    message: (f) => `${f.total - f.healthy} of the ${f.total} engines of the cluster \`${f.cluster}\` are not healthy`,
    remedy: () => "their `/readyz` says what they lack; Envoy's `/clusters` says which ones they are",
  }),
  "doctor-engine-differs": entry<{ generation: number }>({
    meaning: "An engine runs another configuration than the one that Envoy was checked for.",
    severity: "warning",
    message: (f) => `generation ${f.generation} of the engine is another configuration than these files: Envoy was checked for the files`,
    remedy: () => "name the files that the engine runs, or let it load these; `/generations` and `/readyz` say what it has",
  }),
  "doctor-engine-elsewhere": entry<{ time: string; asked: number; seen: number }>({
    meaning: "Envoy has asked more often than the engines that were looked at have seen.",
    severity: "warning",
    message: (f) => `Envoy asked ${f.asked} times in ${f.time} and these engines saw ${f.seen} exchanges: it asks others too`,
    remedy: () => "name each engine's admin port with `--engine-admin`; an engine that nobody knows may run another configuration",
  }),
  "doctor-engine-unreachable": entry<{ detail: string }>({
    meaning: "An engine's admin port does not answer, so that only Envoy's side is known.",
    severity: "warning",
    message: (f) => `nothing is known of the engine: ${f.detail}`,
    remedy: () => "name its admin port with `--engine-admin`, from where it can be reached",
  }),
  "doctor-envoy-version": entry<{ version: string }>({
    meaning: "Another version of Envoy than the one that the rules were measured with.",
    severity: "warning",
    message: (f) => `this is Envoy ${f.version}: the rules are measured with 1.36, other versions may behave otherwise`,
    remedy: () => "use Envoy 1.36, or send a probe (`--probe`) to see that requests are denied",
  }),
  "doctor-envoy-state": entry<{ state: string }>({
    meaning: "Envoy is starting or about to stop.",
    severity: "warning",
    message: (f) => `Envoy is ${f.state}: what it shows may not be what it will do`,
    remedy: () => "ask again when it is LIVE",
  }),
  "doctor-no-traffic": entry<{ entrance: string; time: string }>({
    meaning: "No request came while the counters were watched, so that they say nothing.",
    severity: "warning",
    message: (f) => `no request came to \`${f.entrance}\` in ${f.time}: whether Envoy asks the engine was not seen`,
    remedy: () => "watch longer (`--watch-for`), send requests meanwhile, or a probe (`--probe`)",
  }),

  // Envoy's own configuration, looked at by `policy-engine envoy --check`: is the engine asked at all
  "envoy-not-found": entry<Record<never, never>>({
    meaning: "The text holds nothing of an Envoy configuration that could be checked.",
    message: () => "there is no listener, no HTTP connection manager and no route configuration here",
    remedy: () => "give a bootstrap with `static_resources`, or one of these parts alone",
  }),
  "envoy-unseen": entry<{ what: string }>({
    meaning: "A part of Envoy's configuration comes from elsewhere and was not checked.",
    severity: "warning",
    message: (f) => `${f.what} of this Envoy come from elsewhere and were not checked`,
    remedy: () => "check that part too: a file with a connection manager or a route configuration alone will do",
  }),
  "envoy-update-refused": entry<{ resource: string }>({
    meaning: "Envoy has refused the last update of a resource, as its admin port says, and goes on with what it had.",
    severity: "warning",
    message: (f) => `Envoy has refused the last update of \`${f.resource}\`: what runs is older than what was meant`,
    remedy: () => "`error_state.details` there has Envoy's reason",
  }),
  "envoy-not-asked": entry<Record<never, never>>({
    meaning: "No HTTP connection manager has an ext_proc filter that is on: nobody asks the engine, and every request passes.",
    message: () => "there is no ext_proc filter that is on: the engine is never asked",
    remedy: () => "add the filter before the router, as `policy-engine envoy` prints it",
  }),
  "envoy-listener-not-asked": entry<Record<never, never>>({
    meaning: "An HTTP connection manager without an ext_proc filter beside others that have one.",
    severity: "warning",
    message: () => "requests of this connection manager pass without the engine",
    remedy: () => "add the ext_proc filter here as well, or make sure that no client reaches this listener",
  }),
  "envoy-route-disabled": entry<{ owner: string }>({
    meaning: "A route or virtual host switches the ext_proc filter off.",
    severity: "warning",
    message: (f) => `requests of ${f.owner} pass without the engine`,
    remedy: () => "review it: a chain without steps, `[]` under `routes`, says the same aloud in the configuration",
  }),
  "envoy-upgrade-filters": entry<{ upgrade: string }>({
    meaning: "An upgrade has HTTP filters of its own, and ext_proc is not among them: a client that asks for the upgrade passes.",
    message: (f) => `requests to upgrade to \`${f.upgrade}\` pass without the engine: these filters stand in place of \`http_filters\``,
    remedy: () => "remove `filters` from the upgrade, or put the ext_proc filter into them",
  }),
  "envoy-cache-before": entry<{ filter: string }>({
    meaning: "A cache answers before the engine is asked.",
    message: (f) => `\`${f.filter}\` stands before the engine and answers with what somebody else was allowed to see`,
    remedy: () => "put the cache after ext_proc",
  }),
  "envoy-after-router": entry<Record<never, never>>({
    meaning: "The router stands before the ext_proc filter.",
    message: () => "the router stands before the ext_proc filter, which is then never reached",
    remedy: () => "make the router the last filter",
  }),
  "envoy-filter-order": entry<{ filter: string }>({
    meaning: "A filter that decides by headers stands before the engine: it sees what the client sent, not what policies set or removed.",
    severity: "warning",
    message: (f) => `\`${f.filter}\` stands before the engine and sees the headers as the client sent them`,
    remedy: () => "put it after ext_proc when it trusts a header that policies set or remove",
  }),
  "envoy-fail-open": entry<Record<never, never>>({
    meaning: "Requests pass when the engine cannot be asked.",
    message: () => "`failure_mode_allow` lets requests pass when the engine fails; in this mode stray answers can crash Envoy 1.36.2",
    remedy: () => "set `failure_mode_allow: false`",
  }),
  "envoy-observability": entry<Record<never, never>>({
    meaning: "Envoy tells the engine about requests and does not wait for its answer.",
    message: () => "in `observability_mode` Envoy takes no answer: no policy has any effect",
    remedy: () => "remove `observability_mode`",
  }),
  "envoy-operator": entry<{ operator: string | undefined }>({
    meaning:
      "A value of `initial_metadata` holds an operator that Envoy 1.36 does not know or that a client controls. With one that it does not know, Envoy asks nobody and lets every request pass, and no counter shows it.",
    message: (f) =>
      f.operator === undefined
        ? "a `%` that starts no operator: Envoy then asks nobody, and every request passes"
        : `the operator \`%${f.operator}%\` must not stand here: Envoy may ask nobody, and every request passes`,
    remedy: () => "use only `%ROUTE_NAME%` and `%METADATA(ROUTE:policy.engine:chain)%`; write `%%` for a literal `%`",
  }),

  // Does the engine learn what it needs, in the way that the settings say
  "envoy-identity": entry<{ entry: string; list: string }>({
    meaning: "Envoy does not say which route matched in the way that the settings' `envoy.identity` expects: every exchange is denied.",
    message: (f) => `\`${f.list}\` must have the entry \`${f.entry}\``,
    remedy: () => "write it exactly so, or change `envoy.identity` in the settings",
  }),
  "envoy-attribute": entry<{ attribute: string; reader: string }>({
    meaning: "An expression reads something that Envoy is not asked for.",
    message: (f) => `\`${f.reader}\` needs the attribute \`${f.attribute}\``,
    remedy: () => "add it to `request_attributes`",
  }),
  "envoy-message-timeout": entry<{ found: string; settings: string; envoy: string }>({
    meaning: "Envoy's `message_timeout` is not the one that the settings say: the engine answers too late, or earlier than it must.",
    message: (f) => `the \`message_timeout\` is ${f.found}, in the settings \`envoy.messageTimeout\` is ${f.settings}`,
    remedy: (f) => `set \`message_timeout: ${f.envoy}\`, or change \`envoy.messageTimeout\` in the settings`,
  }),
  "envoy-override-refused": entry<{ detail: string; remedy: string }>({
    meaning: "The settings promise that Envoy obeys overrides of the processing mode, and it does not: what a chain asks for never comes.",
    message: (f) => `Envoy does not obey overrides, which the settings promise: ${f.detail}`,
    remedy: (f) => `${f.remedy}, or set \`envoy.allowModeOverride: false\` in the settings`,
  }),
  "envoy-override-unused": entry<Record<never, never>>({
    meaning: "Envoy obeys overrides of the processing mode, and the settings say that it does not.",
    severity: "warning",
    message: () => "Envoy obeys overrides, but the engine does not know it and never sends one",
    remedy: () => "set `envoy.allowModeOverride: true` in the settings",
  }),
  "envoy-request-headers": entry<Record<never, never>>({
    meaning: "Envoy does not send request headers: requests pass without the engine, or are denied when something else is sent.",
    message: () => "`request_header_mode` is SKIP: the engine never sees a request, and requests pass",
    remedy: () => "set `request_header_mode: SEND`",
  }),
  "envoy-response-headers": entry<Record<never, never>>({
    meaning: "The settings promise that Envoy sends response headers, and it does not: response handlers never run.",
    message: () => "`response_header_mode` is SKIP, in the settings `envoy.responseHeaders` is `sent`",
    remedy: () => "set `response_header_mode: SEND`, or `envoy.responseHeaders: skipped` in the settings",
  }),
  "envoy-response-headers-unused": entry<Record<never, never>>({
    meaning: "Envoy sends response headers that nobody has asked for: a round trip for nothing.",
    severity: "warning",
    message: () => "Envoy sends every response's headers, in the settings `envoy.responseHeaders` is `skipped`",
    remedy: () => "set `response_header_mode: SKIP`, or `envoy.responseHeaders: sent` in the settings",
  }),
  "envoy-headers-hidden": entry<Record<never, never>>({
    meaning: "Envoy hides headers from the engine: conditions and policies take them for absent.",
    severity: "warning",
    message: () => "`forward_rules` hide headers from the engine: to a policy they are absent",
    remedy: () => "make sure that no policy needs or removes a header that is hidden",
  }),
  "envoy-body-mode": entry<{ key: string; mode: string }>({
    meaning: "A body mode that the engine does not work with: some of the body would pass unseen, or the exchange fails.",
    message: (f) => `\`${f.key}: ${f.mode}\` lets a part of the body pass unseen, or breaks the exchange`,
    remedy: (f) =>
      `use \`${f.key}: NONE\`; where a chain reads the body \`BUFFERED\` or \`FULL_DUPLEX_STREAMED\`, as \`policy-engine envoy\` prints it`,
  }),
  "envoy-body-missing": entry<{ key: string; direction: string; route: string; needed: string }>({
    meaning: "A chain reads a body that Envoy neither sends nor can be asked for.",
    message: (f) => `the chain of the route \`${f.route}\` reads the ${f.direction}'s body, which Envoy does not send`,
    remedy: (f) => `give the route a \`processing_mode\` with \`${f.key}: ${f.needed}\`, as \`policy-engine envoy\` prints it`,
  }),
  "envoy-body-unfit": entry<{ key: string; route: string; found: string; needed: string }>({
    meaning:
      "A route sends a body in another way than its chain reads it: whole where it should pass in pieces, or in pieces where a step waits for it.",
    message: (f) => `the chain of the route \`${f.route}\` needs \`${f.key}: ${f.needed}\`, and the route says \`${f.found}\``,
    remedy: (f) =>
      `set \`${f.key}: ${f.needed}\`: with BUFFERED streams hang and large bodies are refused, with FULL_DUPLEX_STREAMED nobody can wait for the whole`,
  }),
  "envoy-body-whole": entry<{ key: string; direction: string; route: string; needed: string }>({
    meaning:
      "A body that could pass in pieces is asked for whole, because its route does not say how it comes: event streams and large bodies are refused.",
    severity: "warning",
    message: (f) => `the ${f.direction}'s body could pass through the chain of the route \`${f.route}\` in pieces, and is asked for whole`,
    remedy: (f) => `give the route a \`processing_mode\` with \`${f.key}: ${f.needed}\`, as \`policy-engine envoy\` prints it`,
  }),
  "envoy-body-unused": entry<{ direction: string }>({
    meaning:
      "Envoy collects or hands over a body that a chain does not read: upgrades and streams hang, or every byte takes the way through the engine.",
    severity: "warning",
    message: (f) => `the ${f.direction}'s body is sent to the engine for routes whose chain does not read it`,
    remedy: () => "use the body mode `NONE`, and another for the routes that need it; with `BUFFERED` a websocket would hang",
  }),
  "envoy-trailers": entry<{ direction: string }>({
    meaning: "A body without its trailers: a message with trailers and no data passes unseen.",
    message: (f) => `the ${f.direction}'s body is sent without its trailers: with trailers and no data it would pass unseen`,
    remedy: (f) => `set \`${f.direction}_trailer_mode: SEND\` beside it`,
  }),

  // May the engine answer and change what it must, and nothing else
  "envoy-replies-refused": entry<Record<never, never>>({
    meaning: "Envoy takes no reply from the engine: every refusal is a 500.",
    message: () => "`disable_immediate_response` makes every reply of the engine a 500",
    remedy: () => "remove `disable_immediate_response`",
  }),
  "envoy-mutation-silent": entry<Record<never, never>>({
    meaning: "Envoy ignores in silence what it does not let the engine change.",
    message: () => "a change that Envoy refuses is ignored in silence: the upstream gets the header as the client sent it",
    remedy: () => "set `mutation_rules: { disallow_is_error: true }`",
  }),
  "envoy-mutation-refused": entry<{ key: string }>({
    meaning: "Envoy refuses changes that policies make.",
    message: (f) => `\`${f.key}\` refuses changes that policies may make`,
    remedy: (f) => `remove \`${f.key}\``,
  }),
  "envoy-routing-refused": entry<{ chain: string; mutation: string }>({
    meaning: "A chain changes the method or the host, and Envoy refuses it: a 500.",
    message: (f) => `the chain \`${f.chain}\` changes the ${f.mutation}, which Envoy refuses`,
    remedy: () => "set `allow_all_routing: true` in `mutation_rules`",
  }),
  "envoy-routing-unused": entry<Record<never, never>>({
    meaning: "Envoy lets the engine change method and host, and no chain does.",
    severity: "warning",
    message: () => "`allow_all_routing` gives a right that no chain needs",
    remedy: () => "remove `allow_all_routing`",
  }),
  "envoy-route-cache": entry<{ what: string }>({
    meaning: "A request can be moved to another route after the chain of the first one has run.",
    message: (f) => `${f.what} has the route chosen anew: a changed request moves to a route whose chain did not run`,
    remedy: () => "set `route_cache_action: RETAIN`, and `clear_route_cache: false` on filters after the engine",
  }),
  "envoy-route-cache-default": entry<Record<never, never>>({
    meaning: "Envoy would choose the route anew if it were asked to; the engine never asks.",
    severity: "warning",
    message: () => "nothing keeps a request on the route whose chain has run",
    remedy: () => "set `route_cache_action: RETAIN`",
  }),
  "envoy-status-on-error": entry<Record<never, never>>({
    meaning: "Without the engine clients get a 500, as if the upstream had failed.",
    severity: "warning",
    message: () => "there is no `status_on_error`: without the engine clients get a 500",
    remedy: () => "set `status_on_error: { code: ServiceUnavailable }`",
  }),
  "envoy-dynamic-metadata": entry<{ namespace: string }>({
    meaning: "Envoy drops in silence what the engine says about an exchange, such as the decision's id.",
    severity: "warning",
    message: (f) => `Envoy drops the engine's dynamic metadata: \`${f.namespace}\` is no namespace that it receives`,
    remedy: (f) => `set \`metadata_options: { receiving_namespaces: { untyped: [${f.namespace}] } }\``,
  }),

  // Does Envoy reach the engine
  "envoy-http-service": entry<Record<never, never>>({
    meaning: "Envoy calls the engine over HTTP with JSON, which the engine does not speak.",
    message: () => "the engine does not speak `http_service`",
    remedy: () => "use `grpc_service` with `envoy_grpc`",
  }),
  "envoy-google-grpc": entry<Record<never, never>>({
    meaning: "Envoy calls the engine with another gRPC client than the one the engine is tested with: no retries, no circuit breakers.",
    severity: "warning",
    message: () => "`google_grpc` has neither retries nor the cluster's limits, and the engine is not tested with it",
    remedy: () => "use `envoy_grpc`",
  }),
  "envoy-cluster-unknown": entry<{ cluster: string; suggestion: string | undefined }>({
    meaning: "The filter names a cluster that does not exist: every request is a 500.",
    message: (f) => `no cluster \`${f.cluster}\`: every request is a 500`,
    remedy: (f) => didYouMean(f.suggestion, "add the cluster, as `policy-engine envoy` prints it"),
  }),
  "envoy-cluster-protocol": entry<Record<never, never>>({
    meaning: "The engine's cluster speaks HTTP/1, over which there is no gRPC.",
    message: () => "the engine's cluster does not speak HTTP/2",
    remedy: () => "add `http2_protocol_options` under `typed_extension_protocol_options`, as `policy-engine envoy` prints it",
  }),
  "envoy-cluster-tls": entry<{ detail: string }>({
    meaning: "The engine's cluster and the engine do not agree about TLS: no connection comes about, and no request gets through.",
    message: (f) => `the engine's cluster ${f.detail}: no request gets through`,
    remedy: () => "make `transport_socket` what `policy-engine envoy` prints for these settings",
  }),
  "envoy-cluster-ca": entry<Record<never, never>>({
    meaning: "Envoy believes whoever answers in the engine's place: TLS without a certificate authority proves nothing.",
    severity: "warning",
    message: () => "the engine's cluster does not check the engine's certificate",
    remedy: () => "add a `validation_context` with `trusted_ca` and the name in the certificate, as `policy-engine envoy` prints it",
  }),
  "envoy-breakers": entry<{ breakers: readonly string[] }>({
    meaning: "The engine's cluster has Envoy's default limits, 1024 concurrent requests; one more is a 500.",
    message: (f) => `the engine's cluster has a low or default limit: ${listed(f.breakers)}`,
    remedy: () => "raise all four, as `policy-engine envoy` prints them: each request holds one as long as it lasts",
  }),
  "envoy-panic": entry<Record<never, never>>({
    meaning: "With too few healthy engines Envoy asks the sick ones as well.",
    severity: "warning",
    message: () => "with too few healthy engines Envoy asks the sick ones as well",
    remedy: () => "set `common_lb_config: { healthy_panic_threshold: { value: 0 } }`",
  }),
  "envoy-health": entry<{ detail: string }>({
    meaning: "Envoy notices too late, or not at all, that an engine stops or starts.",
    severity: "warning",
    message: (f) => f.detail,
    remedy: () => "write `health_checks` as `policy-engine envoy` prints them",
  }),
  "envoy-workers": entry<{ detail: string }>({
    meaning: "Envoy does not spread requests over the workers that the settings ask for.",
    severity: "warning",
    message: (f) => f.detail,
    remedy: () => "write `lb_policy: LEAST_REQUEST` and an endpoint for each worker, as `policy-engine envoy` prints them",
  }),
  "envoy-retry": entry<{ detail: string }>({
    meaning: "An engine that restarts is seen by users.",
    severity: "warning",
    message: (f) => f.detail,
    remedy: () => "write the `retry_policy` of the `grpc_service` as `policy-engine envoy` prints it",
  }),
  "envoy-message-length": entry<{ found: number; needed: number }>({
    meaning: "Envoy refuses messages that the engine may send.",
    message: (f) => `messages of more than ${f.found} bytes are refused, the engine's have up to ${f.needed}`,
    remedy: (f) => `raise \`max_receive_message_length\` to ${f.needed} or more, or lower \`envoy.bodyBytesMax\` in the settings`,
  }),
  "envoy-buffer": entry<{ key: string; found: string; needed: string; bytes: number }>({
    meaning: "Envoy cannot hold bodies as large as the chains take.",
    message: (f) => `Envoy holds bodies up to ${f.found} and the chains take up to ${f.needed}`,
    remedy: (f) => `set \`${f.key}: ${f.bytes}\`, or lower \`bodyBytesMax\``,
  }),
  "envoy-graceful-close": entry<{ flag: string }>({
    meaning: "A runtime flag with which clients can end Envoy: when they abort HTTP/2 requests, 1.36.2 dies of a segmentation fault.",
    message: () => "with this flag clients that abort HTTP/2 requests crash Envoy 1.36.2",
    remedy: (f) => `remove \`${f.flag}\`: it is off by default, and the engine does not need it`,
  }),

  // Do routes and chains find each other
  "envoy-path": entry<{ key: string; remedy: string }>({
    meaning: "Paths reach the policies in another form than the upstream may read: the engine denies those that are not in normal form.",
    message: (f) => `\`${f.key}\` leaves paths as clients write them: routes, policies and upstream may read them differently`,
    remedy: (f) => f.remedy,
  }),
  "envoy-underscores": entry<Record<never, never>>({
    meaning: "Envoy lets header names with underscores pass, which some upstreams take for the same name with dashes.",
    severity: "warning",
    message: () => "a client's `x_user` passes, and some upstreams read it as the `x-user` that a policy sets",
    remedy: () => "set `common_http_protocol_options: { headers_with_underscores_action: REJECT_REQUEST }`",
  }),
  "envoy-route-unnamed": entry<Record<never, never>>({
    meaning: "A route without a name and without a chain in its metadata: all its requests are denied.",
    message: () => "the route has no name, which would select its chain: its requests are denied",
    remedy: () => "give it a `name`",
  }),
  "envoy-route-unknown": entry<{ route: string; suggestion: string | undefined; outcome: string }>({
    meaning: "The configuration does not know a route's name.",
    severity: "warning",
    message: (f) => `the configuration does not know the route \`${f.route}\`: ${f.outcome}`,
    remedy: (f) => didYouMean(f.suggestion, "add it under `routes` in the configuration"),
  }),
  "envoy-route-name": entry<{ route: string }>({
    meaning: "A route's name is not ASCII and would have to come as gRPC metadata: all its requests are denied.",
    message: (f) => `the name \`${f.route}\` is not ASCII and does not arrive as metadata`,
    remedy: () => "use another name, or `envoy.identity: attributes` in the settings",
  }),
  "envoy-route-chain": entry<{ route: string; detail: string; suggestion: string | undefined }>({
    meaning: "A route's own metadata names a chain that does not exist, or another one than the configuration: its requests are denied.",
    message: (f) => `requests of the route \`${f.route}\` are denied: ${f.detail}`,
    remedy: (f) => didYouMean(f.suggestion, "name one chain, in one place"),
  }),
  "envoy-route-rewrite": entry<{ key: string; part: string; route: string }>({
    meaning: "A route rewrites what its chain has already changed.",
    message: (f) => `\`${f.key}\` rewrites the ${f.part}, which the chain of the route \`${f.route}\` changes too`,
    remedy: (f) => `remove \`${f.key}\`, or let only one of the two change the ${f.part}`,
  }),
  "envoy-route-missing": entry<{ route: string }>({
    meaning: "The configuration knows a route that this Envoy does not have.",
    severity: "warning",
    message: (f) => `no route is called \`${f.route}\`, which the configuration knows`,
    remedy: () => "name a route so, or remove it from `routes`; nothing is wrong when another Envoy has it",
  }),
  "envoy-chain-unreached": entry<{ chain: string; routes: readonly string[] }>({
    meaning: "No route of this Envoy reaches a chain.",
    severity: "warning",
    message: (f) =>
      f.routes.length === 0
        ? `no route reaches the chain \`${f.chain}\`: none names it in its metadata`
        : `no route reaches the chain \`${f.chain}\`: none is called ${listed(f.routes.map((name) => `\`${name}\``))}`,
    remedy: () => "name a route so, or remove the chain; nothing is wrong when another Envoy has the route",
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

/** The findings that the `acknowledge` of a step or of a chain can accept. */
export function acknowledgeableCodes(place: "step" | "chain"): readonly string[] {
  return Object.entries(problemCatalogue)
    .filter(([, { acknowledge }]) => acknowledge === place)
    .map(([code]) => code);
}

/** Builds a problem from its code and facts. */
export function problem<Code extends ErrorCode>(
  code: Code,
  where: Pick<Problem, "position" | "path" | "related">,
  facts: FactsOf<Code>,
): Problem {
  const { message, remedy, severity = "error" } = problemCatalogue[code] as unknown as Entry<FactsOf<Code>>;
  return { code, severity, message: message(facts), remedy: remedy(facts), ...where };
}

export interface Failure {
  /** One sentence for the documentation: when this happens. */
  readonly meaning: string;
  /** HTTP status the client gets. */
  readonly status: number;
  /** What the client is told: the title of the problem details. */
  readonly title: string;
  /** For the log and the documentation: how to mend it. */
  readonly remedy: string;
  /** `retry-after` of the answer. */
  readonly retryAfterSeconds?: number;
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
  "stream-aborted": failure(
    500,
    "Internal Server Error",
    "A streamed step has ended the body that passed through it (`abort`). Nobody gets a part of it as the whole.",
    "read the step's reason in the log under the decision id",
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
  overloaded: {
    ...failure(
      503,
      "Service Unavailable",
      "The event loop is further behind than `overload.loopDelay`: something computes for long, and the exchange would have waited for it.",
      "look for the step whose `policy_engine_step_duration_seconds` is long, add workers or engines, or send fewer requests",
    ),
    retryAfterSeconds: 1,
  },
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
    "A step waits for the request's body, and the body is larger than the limit, as it comes or decoded. Or it becomes more than 64 KiB and more than 200 times its size when its content coding is undone, which no limit allows, also where it passes in pieces.",
    "raise `envoy.bodyBytesMax` in the settings (and the buffers of Envoy with it), or the chain's `bodyBytesMax`; send what repeats itself that much without content coding",
  ),
  "response-too-large": failure(
    502,
    "Bad Gateway",
    "A step waits for the response's body, and the body is larger than the limit, as it comes or decoded. Or it becomes more than 64 KiB and more than 200 times its size when its content coding is undone, which no limit allows, also where it passes in pieces.",
    "raise `envoy.bodyBytesMax` in the settings (and the buffers of Envoy with it), or the chain's `bodyBytesMax`; send what repeats itself that much without content coding",
  ),
  "request-coding": failure(
    415,
    "Unsupported Media Type",
    "A step reads the request's body, whose content coding the engine does not undo, or whose bytes are not what the coding says, to the last one. Where a step waits for the whole that is gzip alone; where it passes in pieces gzip, deflate, br and zstd.",
    "send the body without content coding, or as gzip",
  ),
  "response-coding": failure(
    502,
    "Bad Gateway",
    "A step reads the response's body, whose content coding the engine does not undo, or whose bytes are not what the coding says. Where a step waits for the whole that is gzip alone; where it passes in pieces gzip, deflate, br and zstd.",
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
    "A step waits for a body, and Envoy does not send it whole: overrides are not promised, one was ignored, or the route sends it in pieces.",
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
