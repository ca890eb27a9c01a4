import { stepsMax } from "../config/check-chain.ts";
import { catalogue, resolvePolicy } from "../config/policy-reference.ts";
import type { JsonSchema, PolicyManifest } from "../config/types.ts";
import { acknowledgeableCodes } from "../errors.ts";
import { parametersSchema } from "./parameters.ts";
import { choice, conditional, dialect, duration, entries, flag, formatVersion, list, map, namePattern, size, text } from "./parts.ts";

/**
 * The JSON Schema of a configuration, for editors: completes the policies of a distribution, their versions and their parameters. What only the
 * engine can see (expressions, secrets, metadata, names that refer to each other) is left to `validate`.
 */
export function configSchema(manifests: readonly PolicyManifest[]): JsonSchema {
  const references = referencesTo(manifests);
  const chain = map(
    "What happens to the exchanges of a route.",
    {
      description: text("For people."),
      labels: entries("For people and machines that look at chains.", text("A label's value.")),
      enabled: flag("`false` switches the chain off; it is checked all the same.", true),
      rawPath: flag("Lets paths pass that are not in normal form.", false),
      bodyBytesMax: size("Lowers the settings' limit on bodies that a step waits for."),
      acknowledge: acknowledgements("chain"),
      steps: list("In this order on the request, from last to first on the response.", { $ref: "#/$defs/step" }, { maxItems: stepsMax }),
    },
    ["steps"],
  );
  return {
    $schema: dialect,
    title: "Configuration of the Envoy Policy Engine",
    ...map(
      "Which policies run on which routes.",
      {
        version: formatVersion,
        chains: entries("Chains by name.", chain, { pattern: namePattern, not: { enum: ["deny", "pass"] } }),
        routes: entries("The name of a route in Envoy's configuration, and its chain.", {
          anyOf: [text("The name of a chain."), list("No chain, said aloud.", {}, { maxItems: 0 })],
        }),
        unmatched: text("What happens on a route that is unnamed or not listed: `deny`, `pass`, or the name of a chain.", {
          default: "deny",
        }),
      },
      ["version"],
    ),
    $defs: {
      step: stepSchema(references),
      ...Object.fromEntries(manifests.map((manifest) => [keyOf(manifest), parametersSchema(manifest, placeOf(manifest))])),
    },
  };
}

/** How a step can name a policy version, and what that is. */
interface Reference {
  readonly text: string;
  readonly manifest: PolicyManifest;
}

function stepSchema(references: readonly Reference[]): JsonSchema {
  const skipping = "`deny` refuses the exchange, `skip` goes on without this step.";
  const step = map(
    "A policy at work.",
    {
      policy: {
        description: "The policy and its version: `@2` is the newest 2.x of this distribution, `@2.0.0` exactly that one.",
        anyOf: references.map(({ text: reference, manifest }) => ({
          const: reference,
          description: reference === keyOf(manifest) ? manifest.summary : `${keyOf(manifest)}: ${manifest.summary}`,
        })),
      },
      name: text("Shown in logs and explanations. Default: the policy's name.", { pattern: namePattern }),
      when: text("CEL condition: the step runs only where it holds. Decided once for an exchange."),
      parameters: { description: "What the policy needs to know.", type: "object" },
      timeout: duration("Deadline of a handler's promise.", { default: "1s" }),
      onError: choice(`When the step fails: ${skipping}`, ["deny", "skip"], "deny"),
      onUpgrade: choice(`When the exchange is upgraded, and the step waits for a body: ${skipping}`, ["deny", "skip"], "deny"),
      onStream: choice(`When the response is a stream of events, and the step waits for its body: ${skipping}`, ["deny", "skip"], "deny"),
      acknowledge: acknowledgements("step"),
    },
    ["policy"],
  );
  const groups = Map.groupBy(references, ({ manifest }) => manifest);
  return { ...step, allOf: [...groups].map(([manifest, group]) => parametersRule(manifest, group)) };
}

function acknowledgements(owner: "chain" | "step"): JsonSchema {
  const code = text("The code of the finding.", { examples: acknowledgeableCodes(owner) });
  return list("Findings that are meant.", map("A finding.", { code, reason: text("Why it is acceptable here.") }, ["code", "reason"]));
}

function parametersRule(manifest: PolicyManifest, references: readonly Reference[]): JsonSchema {
  const { required } = manifest.parameters;
  const isMeant = { required: ["policy"], properties: { policy: { enum: references.map(({ text: reference }) => reference) } } };
  return conditional(isMeant, {
    properties: { parameters: { $ref: placeOf(manifest) } },
    ...(Array.isArray(required) && required.length > 0 ? { required: ["parameters"] } : {}),
  });
}

/** For each policy first the short references, which stay right when a new release comes, then the exact ones; the newest first. */
function referencesTo(manifests: readonly PolicyManifest[]): readonly Reference[] {
  const policies = catalogue(manifests.map((manifest) => ({ manifest })));
  const names = [...policies.keys()].sort();
  return names.flatMap((name) => {
    const versions = policies.get(name) ?? [];
    const short = versions.flatMap(({ version: { major, minor } }) => [`${name}@${major}`, `${name}@${major}.${minor}`]);
    const texts = new Set([...short, ...versions.map(({ release }) => keyOf(release.manifest))]);
    return [...texts].flatMap((text) => {
      // What means nothing, such as `@0`, is not offered.
      const release = resolvePolicy(text, nowhere, policies, () => {});
      return release === undefined ? [] : [{ text, manifest: release.manifest }];
    });
  });
}

const nowhere = { position: { uri: "", line: 1, column: 1 }, path: "" };

const keyOf = ({ name, version }: PolicyManifest): string => `${name}@${version}`;
const placeOf = (manifest: PolicyManifest): string => `#/$defs/${keyOf(manifest)}`;
