/** A resource of the discovery service -> the document that it stands for: one way into the engine, whoever delivers. */
import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { SourceDocument } from "../config/types.ts";
import type { Duration } from "../generated/proto/google/protobuf/duration.ts";
import {
  type Acknowledgement,
  type Chain,
  Configuration,
  FailureMode,
  type Route,
  type Step,
} from "../generated/proto/policy_engine/config/v1/configuration.ts";

export const configurationType = "type.googleapis.com/policy_engine.config.v1.Configuration";

/**
 * The text is JSON, which is YAML, so that positions and paths of problems are as everywhere. What is said twice is written twice: the check
 * of the text finds it.
 *
 * @throws when the bytes are no such resource, or hold a field that this engine does not know
 */
export function readResource(bytes: Uint8Array): SourceDocument {
  // The decoder would lose it, and with it whatever it names.
  if (Buffer.from(bytes).includes("__proto__")) throw new Error("the name `__proto__` is not taken");
  const configuration = decode(bytes);
  const unknown = unknownField(configuration, "Configuration");
  if (unknown !== undefined) throw new Error(`${unknown} is not known to this engine, or has another type here`);
  const { name = "", chains = [], routes = [], unmatched } = configuration;
  if (name === "") throw new Error("a resource has no name");
  const text = map([
    ["version", "1"],
    ["chains", map(chains.map((chain) => [chain.name ?? "", chainText(chain)]))],
    ["routes", map(routes.map((route) => [route.name ?? "", routeText(route)]))],
    ["unmatched", optional(unmatched)],
  ]);
  return { uri: `xds:${name}`, text };
}

function decode(bytes: Uint8Array): Configuration {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return Configuration.decode(new BinaryReader(bytes, (text) => utf8.decode(text)));
  } catch (error) {
    throw new Error(`the bytes are no ${configurationType}`, { cause: error });
  }
}

/** The first field anywhere in it that this engine has no name for. */
function unknownField(message: object, what: string): string | undefined {
  for (const [name, value] of Object.entries(message)) {
    if (name === "parameters") continue;
    if (name === "_unknownFields") {
      const [tag] = Object.keys(value ?? {});
      if (tag !== undefined) return `field ${Number(tag) >>> 3} of ${what}`;
    }
    const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const part of parts) {
      const found = typeof part === "object" && part !== null && name !== "_unknownFields" ? unknownField(part, name) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function chainText({ description, labels = {}, enabled, rawPath, bodyBytesMax, acknowledge = [], steps = [] }: Chain): string {
  return map([
    ["description", optional(description)],
    ["labels", map(Object.entries(labels).map(([name, value]) => [name, text(value)]))],
    ["enabled", optional(enabled)],
    ["rawPath", rawPath === true ? "true" : undefined],
    ["bodyBytesMax", bodyBytesMax === undefined ? undefined : text(`${bodyBytesMax}B`)],
    ["acknowledge", acknowledgementsText(acknowledge)],
    ["steps", list(steps.map(stepText))],
  ]);
}

function stepText(step: Step): string {
  return map([
    ["policy", optional(step.policy)],
    ["name", optional(step.name)],
    ["when", optional(step.when)],
    ["parameters", step.parameters === undefined ? undefined : JSON.stringify(step.parameters, undefined, 1)],
    ["timeout", step.timeout === undefined ? undefined : text(durationText(step.timeout))],
    ["onError", modeText(step.onError)],
    ["onUpgrade", modeText(step.onUpgrade)],
    ["onStream", modeText(step.onStream)],
    ["acknowledge", acknowledgementsText(step.acknowledge ?? [])],
  ]);
}

function acknowledgementsText(acknowledged: readonly Acknowledgement[]): string | undefined {
  if (acknowledged.length === 0) return undefined;
  return list(
    acknowledged.map(({ code, reason }) =>
      map([
        ["code", optional(code)],
        ["reason", optional(reason)],
      ]),
    ),
  );
}

/** A target that is not set is nothing that anybody has said: the check refuses it. */
function routeText({ target }: Route): string {
  switch (target?.$case) {
    case undefined:
      return "null";
    case "chain":
      return text(target.value);
    case "nothing":
      return "[]";
    default:
      return target satisfies never;
  }
}

function modeText(mode: number | undefined): string | undefined {
  switch (mode) {
    case undefined:
    case FailureMode.FAILURE_MODE_UNSPECIFIED:
      return undefined;
    case FailureMode.DENY:
      return text("deny");
    case FailureMode.SKIP:
      return text("skip");
    default:
      // The check refuses it by this name.
      return text(`FailureMode ${mode}`);
  }
}

/** Fractions of a millisecond stay: the check refuses them. */
function durationText({ seconds = 0n, nanos = 0 }: Duration): string {
  return `${Number(seconds) * 1000 + nanos / 1e6}ms`;
}

const text = (value: string): string => JSON.stringify(value);
/** Empty text is what proto3 makes of a text that was not set. */
const optional = (value: string | boolean | undefined): string | undefined =>
  value === undefined || value === "" ? undefined : JSON.stringify(value);

function map(entries: readonly (readonly [string, string | undefined])[]): string {
  const lines = entries.flatMap(([name, value]) => (value === undefined ? [] : [`${text(name)}: ${value}`]));
  return lines.length === 0 ? "{}" : `{\n${indented(lines.join(",\n"))}\n}`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "[]" : `[\n${indented(items.join(",\n"))}\n]`;
}

function indented(lines: string): string {
  return lines.replaceAll(/^/gm, " ");
}
