import { parse } from "yaml";
import { parseDuration, parseSize } from "../../src/config/quantities.ts";
import {
  type Acknowledgement,
  type Chain,
  Configuration,
  FailureMode,
  type Route,
  type Step,
} from "../../src/generated/proto/policy_engine/config/v1/configuration.ts";

/**
 * A configuration document as the resource that says the same: what a control plane would send in its place.
 *
 * @throws when the text is no document, or says something that a resource cannot say
 */
export function resourceOf(name: string, text: string): Uint8Array {
  const document = fields(parse(text), ["version", "chains", "routes", "unmatched"], name);
  const chains = Object.entries(entries(document.chains)).map(([chain, value]) => chainOf(chain, value));
  const routes = Object.entries(entries(document.routes)).map(([route, value]) => routeOf(route, value));
  return Configuration.encode({ name, chains, routes, ...given("unmatched", document.unmatched, String) }).finish();
}

function chainOf(name: string, value: unknown): Chain {
  const keys = ["description", "labels", "enabled", "rawPath", "bodyBytesMax", "acknowledge", "steps"];
  const chain = fields(value, keys, `chain ${name}`);
  const labels = Object.entries(entries(chain.labels)).map(([label, text]) => [label, String(text)] as const);
  return {
    name,
    labels: Object.fromEntries(labels),
    steps: items(chain.steps).map(stepOf),
    acknowledge: items(chain.acknowledge).map(acknowledgementOf),
    ...given("description", chain.description, String),
    ...given("enabled", chain.enabled, Boolean),
    ...given("rawPath", chain.rawPath, Boolean),
    ...given("bodyBytesMax", chain.bodyBytesMax, (size) => BigInt(quantity(size, parseSize))),
  };
}

function stepOf(value: unknown): Step {
  const keys = ["policy", "name", "when", "parameters", "timeout", "onError", "onUpgrade", "onStream", "acknowledge"];
  const step = fields(value, keys, "step");
  return {
    acknowledge: items(step.acknowledge).map(acknowledgementOf),
    ...given("policy", step.policy, String),
    ...given("name", step.name, String),
    ...given("when", step.when, String),
    ...given("parameters", step.parameters, entries),
    ...given("timeout", step.timeout, durationOf),
    ...given("onError", step.onError, modeOf),
    ...given("onUpgrade", step.onUpgrade, modeOf),
    ...given("onStream", step.onStream, modeOf),
  };
}

function acknowledgementOf(value: unknown): Acknowledgement {
  const { code, reason } = fields(value, ["code", "reason"], "acknowledge");
  return { code: String(code), reason: String(reason) };
}

function routeOf(name: string, value: unknown): Route {
  if (Array.isArray(value) && value.length === 0) return { name, target: { $case: "nothing", value: {} } };
  return { name, target: { $case: "chain", value: String(value) } };
}

function durationOf(value: unknown): Step["timeout"] {
  const milliseconds = quantity(value, parseDuration);
  return { seconds: BigInt(Math.floor(milliseconds / 1000)), nanos: (milliseconds % 1000) * 1e6 };
}

function modeOf(value: unknown): FailureMode {
  if (value === "deny") return FailureMode.DENY;
  if (value === "skip") return FailureMode.SKIP;
  throw new Error(`\`${value}\` is neither deny nor skip`);
}

function quantity(value: unknown, read: (text: string) => number | undefined): number {
  const found = read(String(value));
  if (found === undefined) throw new Error(`\`${value}\` is no quantity`);
  return found;
}

/** The field if something is written there. */
function given<Key extends string, Value>(
  key: Key,
  value: unknown,
  read: (value: unknown) => Value,
): { readonly [name in Key]?: Value } | Record<never, never> {
  return value === undefined ? {} : { [key]: read(value) };
}

function fields(value: unknown, known: readonly string[], what: string): Readonly<Record<string, unknown>> {
  const found = entries(value);
  const unknown = Object.keys(found).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Error(`${what}: a resource has no \`${unknown}\``);
  return found;
}

function entries(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw new Error("expected a map");
  return { ...value };
}

function items(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Error("expected a list");
  return value;
}
