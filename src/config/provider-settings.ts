/** Where configuration comes from, as the settings say it. */
import { resolve } from "node:path";
import { problem } from "../errors.ts";
import { checkName } from "./names.ts";
import type { Place } from "./node.ts";
import { at, type Report, readFields, readInteger, readList, readText } from "./read.ts";

export interface ProviderSettings {
  readonly kind: "file";
  /** Unique; where none is written `file`, `file:2` and so on. */
  readonly name: string;
  /** Of two definitions of one chain or route that of the provider with the higher one counts. Default 0. */
  readonly precedence: number;
  /** Files and folders, absolute; at least one. */
  readonly paths: readonly string[];
}

/** Relative paths start at `directory`. */
export function readProviders(place: Place | undefined, directory: string, report: Report): readonly ProviderSettings[] {
  const items = place && readList(place, report);
  if (place !== undefined && items?.length === 0) report(problem("empty-list", at(place), { what: "providers" }));
  const providers: ProviderSettings[] = [];
  for (const item of items ?? []) providers.push(readProvider(item, directory, providers, report));
  return providers;
}

function readProvider(place: Place, directory: string, earlier: readonly ProviderSettings[], report: Report): ProviderSettings {
  const fields = readFields(place, ["file", "name", "precedence"], report);
  const precedence = readInteger(fields?.optional("precedence"), { what: "the precedence", min: -1000, max: 1000 }, report) ?? 0;
  const name = readName(fields?.optional("name"), place, "file", earlier, report);
  const file = fields?.required("file", "the only kind of provider there is, such as `{ file: { paths: [policies.yaml] } }`");
  const paths = file && readFields(file, ["paths"], report)?.required("paths", "files and folders with configuration");
  const listed = (paths && readList(paths, report)) ?? [];
  if (paths?.node.kind === "list" && listed.length === 0) report(problem("empty-list", at(paths), { what: "paths" }));
  const texts = listed.map((path) => readText(path, report)).filter((path) => path !== undefined);
  return { kind: "file", name, precedence, paths: texts.map((path) => resolve(directory, path)) };
}

function readName(
  place: Place | undefined,
  item: Place,
  kind: ProviderSettings["kind"],
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
