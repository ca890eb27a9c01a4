/** `headers` of a manifest: which headers the policy writes. What points into the parameters must fit their schema. */
import { type Problem, problem } from "../errors.ts";
import type { Place } from "./node.ts";
import { pointerKeys } from "./pointer.ts";
import { at, type Report, readFields, readList, readText } from "./read.ts";
import type { Direction, HeaderWrite, JsonSchema, PolicyManifest } from "./types.ts";

/** Nothing written means that nothing is known of the headers that the policy writes. */
export function readHeaderWrites(place: Place | undefined, parameters: JsonSchema, report: Report): PolicyManifest["headers"] {
  const fields = place && readFields(place, ["request", "response"], report);
  const read = (direction: Direction): readonly HeaderWrite[] =>
    itemsOf(fields?.optional(direction), report).flatMap((item) => readWrite(item, parameters, report));
  return { request: read("request"), response: read("response") };
}

function readWrite(item: Place, parameters: JsonSchema, report: Report): readonly HeaderWrite[] {
  const fields = readFields(item, ["sets", "removes", "unless"], report);
  if (fields === undefined) return [];
  const [sets, removes] = [fields.optional("sets"), fields.optional("removes")];
  const place = sets ?? removes;
  if (place === undefined || (sets !== undefined && removes !== undefined)) {
    report(fault(item, "an entry has exactly one of `sets` and `removes`", "write one entry for each"));
    return [];
  }
  const name = readText(place, report);
  if (name === undefined) return [];
  const holders = name.startsWith("/") ? holdersOf(name, place, parameters, report) : fixedName(name, place, parameters, report);
  const unless = itemsOf(fields.optional("unless"), report).flatMap((key) => readKey(key, holders, parameters, report));
  return [{ kind: sets === undefined ? "removes" : "sets", name, unless }];
}

function fixedName(name: string, place: Place, parameters: JsonSchema, report: Report): readonly JsonSchema[] {
  if (/^[!#$%&'*+.^_`|~\da-z-]+$/.test(name)) return [parameters];
  report(fault(place, `\`${name}\` is neither a header's name nor a place in the parameters`, "write `x-name`, in lower case, or `/path`"));
  return [];
}

/** The schemas of the maps that hold the names. */
function holdersOf(pointer: string, place: Place, parameters: JsonSchema, report: Report): readonly JsonSchema[] {
  const keys = pointerKeys(pointer);
  const holders = keys.slice(0, -1).reduce<readonly JsonSchema[]>((schemas, key) => below(schemas, key, parameters), [parameters]);
  const names = withBranches(below(holders, keys.at(-1) ?? "", parameters), parameters);
  if (names.some(({ type }) => type === "string")) return holders;
  report(fault(place, `no text stands at \`${pointer}\` in the parameters`, "write a JSON Pointer in which `*` is every entry"));
  return [];
}

function readKey(place: Place, holders: readonly JsonSchema[], parameters: JsonSchema, report: Report): readonly string[] {
  const key = readText(place, report);
  if (key === undefined) return [];
  if (holders.length > 0 && below(holders, key, parameters).length === 0) {
    report(fault(place, `no parameter \`${key}\` stands beside the name`, "name a key of the map that holds the name"));
  }
  return [key];
}

/** The schemas of an entry of what the schemas describe. */
function below(schemas: readonly JsonSchema[], key: string, root: JsonSchema): readonly JsonSchema[] {
  const found = withBranches(schemas, root).flatMap((schema) => {
    if (key === "*") return [schema.items, schema.additionalProperties];
    return isSchema(schema.properties) && Object.hasOwn(schema.properties, key) ? [schema.properties[key]] : [];
  });
  return found.filter(isSchema);
}

/** What schemas refer to, and their branches, stand for them too. */
function withBranches(schemas: readonly JsonSchema[], root: JsonSchema): readonly JsonSchema[] {
  const all = new Set(schemas);
  for (const { $ref, allOf, anyOf, oneOf } of all) {
    const target = isSchema(root.$defs) ? root.$defs[String($ref).replace("#/$defs/", "")] : undefined;
    for (const part of [target, allOf, anyOf, oneOf].flat()) if (isSchema(part)) all.add(part);
  }
  return [...all];
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function itemsOf(place: Place | undefined, report: Report): readonly Place[] {
  return (place && readList(place, report)) ?? [];
}

function fault(place: Place, detail: string, remedy: string): Problem {
  return problem("manifest-headers", at(place), { detail, remedy });
}
