/** Where configuration comes from, as the settings say it. */
import { resolve } from "node:path";
import { problem } from "../errors.ts";
import { checkName } from "./names.ts";
import type { Place } from "./node.ts";
import { at, type Fields, type Report, readFields, readInteger, readList, readText, wrongType } from "./read.ts";
import { type HttpSettings, readHttp, readXds, type XdsSettings } from "./remote-provider-settings.ts";
import { reportMisplacedSecrets } from "./secrets.ts";

export type ProviderSettings = ProviderIdentity & (FileSettings | HttpSettings | XdsSettings);

export interface ProviderIdentity {
  /** Unique; where none is written `file`, `file:2` and so on. */
  readonly name: string;
  /** Of two definitions of one chain or route that of the provider with the higher one counts. Default 0. */
  readonly precedence: number;
}

export interface FileSettings {
  readonly kind: "file";
  /** Files and folders, absolute; at least one. */
  readonly paths: readonly string[];
}

const kinds = ["file", "http", "xds"] as const;
const example = "where it reads from, such as `file: { paths: [policies.yaml] }`; there are also `http` and `xds`";

/** Relative paths start at `directory`. */
export function readProviders(place: Place | undefined, directory: string, report: Report): readonly ProviderSettings[] {
  const items = place && readList(place, report);
  if (place !== undefined && items?.length === 0) report(problem("empty-list", at(place), { what: "providers" }));
  const providers: ProviderSettings[] = [];
  for (const item of items ?? []) {
    const provider = readProvider(item, directory, providers, report);
    if (provider !== undefined) providers.push(provider);
  }
  return providers;
}

function readProvider(item: Place, directory: string, earlier: readonly ProviderSettings[], report: Report): ProviderSettings | undefined {
  const fields = readFields(item, [...kinds, "name", "precedence"], report);
  const found = kinds.filter((kind) => fields?.optional(kind) !== undefined);
  const [kind] = found;
  if (fields !== undefined && kind === undefined) fields.required("file", example);
  if (found.length > 1) report(wrongType(item, "one kind of provider", `${found.map((one) => `\`${one}\``).join(" and ")}`));
  if (fields === undefined || kind === undefined) return undefined;
  for (const key of ["name", "precedence"]) reportMisplacedSecrets(fields.optional(key), report);
  const precedence = readInteger(fields.optional("precedence"), { what: "the precedence", min: -1000, max: 1000 }, report) ?? 0;
  const name = readName(fields.optional("name"), item, kind, earlier, report);
  const own = readKind(kind, fields, directory, report);
  return own && { name, precedence, ...own };
}

function readKind(
  kind: (typeof kinds)[number],
  fields: Fields,
  directory: string,
  report: Report,
): FileSettings | HttpSettings | XdsSettings | undefined {
  const place = fields.optional(kind);
  if (place === undefined) return undefined;
  switch (kind) {
    case "file":
      return readFile(place, directory, report);
    case "http":
      return readHttp(place, directory, report);
    case "xds":
      return readXds(place, directory, report);
    default:
      return kind satisfies never;
  }
}

function readFile(place: Place, directory: string, report: Report): FileSettings {
  reportMisplacedSecrets(place, report);
  const paths = readFields(place, ["paths"], report)?.required("paths", "files and folders with configuration");
  const listed = (paths && readList(paths, report)) ?? [];
  if (paths?.node.kind === "list" && listed.length === 0) report(problem("empty-list", at(paths), { what: "paths" }));
  const texts = listed.map((path) => readText(path, report)).filter((path) => path !== undefined);
  return { kind: "file", paths: texts.map((path) => resolve(directory, path)) };
}

function readName(
  place: Place | undefined,
  item: Place,
  kind: (typeof kinds)[number],
  earlier: readonly ProviderSettings[],
  report: Report,
): string {
  const ofKind = earlier.filter((provider) => provider.kind === kind).length;
  const name = readText(place, report) ?? (ofKind === 0 ? kind : `${kind}:${ofKind + 1}`);
  if (place !== undefined) checkName(name, "provider", place, report);
  const taken = earlier.some((provider) => provider.name === name);
  if (taken) report(problem("duplicate-definition", at(place ?? item), { kind: "provider", name }));
  return name;
}
