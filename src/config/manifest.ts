/** `policy.yaml`: text -> a checked manifest, or every problem in one run. */
import { type Problem, problem } from "../errors.ts";
import { readHeaderWrites } from "./manifest-headers.ts";
import { checkParameterSchema, checkValueSchema } from "./manifest-schema.ts";
import { type Place, rootPlace } from "./node.ts";
import { parseYaml } from "./parse.ts";
import { sortProblems } from "./problems.ts";
import {
  at,
  atKey,
  type Fields,
  type Report,
  readBoolean,
  readChoice,
  readEntries,
  readFields,
  readInteger,
  readList,
  readText,
  withoutEchoes,
} from "./read.ts";
import type { SchemaEngine } from "./schema-engine.ts";
import { parseVersion } from "./semver.ts";
import type { JsonSchema, PolicyManifest, RoutingMutation, SourceDocument } from "./types.ts";

/** The generation of the SDK that this engine speaks; raised when the contract of `src/sdk` changes so that old policies break. */
export const sdkGeneration = 1;

export type ParsedManifest = { readonly manifest: PolicyManifest } | { readonly problems: readonly Problem[] };

/**
 * Reads a manifest. `name`, `version`, `summary` and `sdk` must be there; without `parameters` the policy takes none, `protects` is
 * false, `replies` is `sometimes`, and nothing is read, written or mutated. Never throws because of the text.
 */
export function parseManifest(source: SourceDocument, schemas: SchemaEngine): ParsedManifest {
  const { root, problems } = parseYaml(source);
  const found = [...problems];
  const manifest =
    root &&
    readManifest(
      rootPlace(root),
      schemas,
      withoutEchoes(problems, (next) => found.push(next)),
    );
  return manifest === undefined || found.length > 0 ? { problems: sortProblems(found) } : { manifest };
}

const manifestKeys = ["name", "version", "summary", "sdk", "protects", "replies", "metadata", "mutates", "headers", "parameters"];

function readManifest(place: Place, schemas: SchemaEngine, report: Report): PolicyManifest | undefined {
  const fields = readFields(place, manifestKeys, report);
  if (fields === undefined) return undefined;
  const metadata = readMetadata(fields.optional("metadata"), schemas, report);
  const parametersPlace = fields.optional("parameters");
  const parameters = parametersPlace === undefined ? noParameters : checkParameterSchema(parametersPlace, schemas, report);
  return {
    name: readPolicyName(fields.required("name", "the policy's name, the same as its folder's"), report) ?? "",
    version: readVersion(fields.required("version", "the version of this release, such as `1.0.0`"), report) ?? "",
    summary: readText(fields.required("summary", "one sentence that says what the policy does"), report) ?? "",
    sdk: readSdk(fields.required("sdk", `the SDK generation that the policy was written for, \`${sdkGeneration}\``), report),
    protects: readBoolean(fields.optional("protects"), report) ?? false,
    metadata,
    mutates: readMutations(fields.optional("mutates"), report),
    headers: readHeaderWrites(fields.optional("headers"), parameters, report),
    replies: readChoice(fields.optional("replies"), ["always", "sometimes"], report) ?? "sometimes",
    parameters,
  };
}

const noParameters: JsonSchema = { type: "object", properties: {}, additionalProperties: false };

function readPolicyName(place: Place | undefined, report: Report): string | undefined {
  const name = readText(place, report);
  if (place === undefined || name === undefined) return undefined;
  if (isPolicyName(name)) return name;
  report(problem("invalid-name", at(place), { name, kind: "policy", rule: policyNameRule }));
  return undefined;
}

export function isPolicyName(name: string): boolean {
  return name.length <= 63 && /^[a-z][a-z\d]*(-[a-z\d]+)*$/.test(name);
}

export const policyNameRule = "up to 63 lower-case letters and digits in words joined by `-`, the first a letter";

function readVersion(place: Place | undefined, report: Report): string | undefined {
  // `version: 1.0` is a number in YAML; what was meant is clear, and so should the message be.
  const value = place?.node.kind === "scalar" ? place.node.value : undefined;
  if (place !== undefined && typeof value === "number") report(problem("manifest-version", at(place), { found: String(value) }));
  const version = typeof value === "number" ? undefined : readText(place, report);
  if (place === undefined || version === undefined || parseVersion(version) !== undefined) return version;
  report(problem("manifest-version", at(place), { found: version }));
  return undefined;
}

function readSdk(place: Place | undefined, report: Report): number {
  const found = readInteger(place, { what: "the SDK generation", min: 1, max: 1_000_000 }, report);
  if (place === undefined || found === undefined) return sdkGeneration;
  if (found !== sdkGeneration) report(problem("manifest-sdk", at(place), { found, supported: sdkGeneration }));
  return found;
}

function readMutations(place: Place | undefined, report: Report): readonly RoutingMutation[] {
  const known = ["path", "query", "method", "host"] as const;
  const items = (place && readList(place, report)) ?? [];
  return items.map((item) => readChoice(item, known, report)).filter((mutation) => mutation !== undefined);
}

function readMetadata(place: Place | undefined, schemas: SchemaEngine, report: Report): PolicyManifest["metadata"] {
  const fields = place && readFields(place, ["reads", "writes"], report);
  return { reads: readReads(fields, report), writes: readWrites(fields, schemas, report) };
}

function readReads(fields: Fields | undefined, report: Report): readonly string[] {
  const place = fields?.optional("reads");
  const items = (place && readList(place, report)) ?? [];
  return items.flatMap((item) => {
    const key = readText(item, report);
    return key !== undefined && checkKey(key, item, report) ? [key] : [];
  });
}

function readWrites(fields: Fields | undefined, schemas: SchemaEngine, report: Report): Readonly<Record<string, JsonSchema>> {
  const entries = readEntries(fields?.optional("writes"), report).filter(([key, place]) => checkKey(key, place, report));
  return Object.fromEntries(entries.map(([key, place]) => [key, checkValueSchema(place, schemas, report)]));
}

/** A metadata key is a name in conditions: `metadata.auth`. */
function checkKey(key: string, place: Place, report: Report): boolean {
  const valid = /^[a-z][A-Za-z\d]{0,62}$/.test(key);
  const facts = { name: key, kind: "metadata key", rule: "up to 63 letters and digits, the first a lower-case letter" };
  if (!valid) report(problem("invalid-name", atKey(place), facts));
  return valid;
}
