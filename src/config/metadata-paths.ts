/** `envoy.metadata` of the settings: which values of the shared metadata go to Envoy. */
import { type Problem, problem } from "../errors.ts";
import type { Place } from "./node.ts";
import { at, type Report, readList, readText } from "./read.ts";

/** A value of the shared metadata, such as `auth.subject`. */
export interface MetadataPath {
  readonly text: string;
  /** The key that a policy writes, and what leads on inside its value. */
  readonly keys: readonly [key: string, ...inside: string[]];
  /** Where the settings name it. */
  readonly where: Pick<Problem, "position" | "path">;
}

export const metadataPathsMax = 16;
/** A key that a policy may write, and names inside its value. */
export const metadataPathPattern = "^[a-z][A-Za-z\\d]{0,62}(?:\\.[A-Za-z][\\w-]{0,62})*$";

export function readMetadataPaths(place: Place, report: Report): readonly MetadataPath[] {
  const items = readList(place, report) ?? [];
  if (items.length > metadataPathsMax) {
    report(problem("too-many", at(place), { what: "metadata paths", found: items.length, max: metadataPathsMax }));
    return [];
  }
  const paths: MetadataPath[] = [];
  for (const item of items) {
    const path = readMetadataPath(item, report);
    if (path === undefined) continue;
    const other = paths.find(({ keys }) => leadsTo(keys, path.keys) || leadsTo(path.keys, keys));
    if (other === undefined) paths.push(path);
    else reportOverlap(path, other, report);
  }
  return paths;
}

function readMetadataPath(place: Place, report: Report): MetadataPath | undefined {
  const text = readText(place, report);
  if (text === undefined) return undefined;
  const [key = "", ...inside] = text.split(".");
  if (new RegExp(metadataPathPattern).test(text)) return { text, keys: [key, ...inside], where: at(place) };
  const rule = "a key that a policy writes and names inside its value, joined by dots, such as `auth.subject`";
  report(problem("invalid-name", at(place), { name: text, kind: "value of the shared metadata", rule }));
  return undefined;
}

/** Whether the value of `outer` holds that of `inner`, or both are one. */
const leadsTo = (outer: readonly string[], inner: readonly string[]): boolean => outer.every((key, index) => inner[index] === key);

function reportOverlap(path: MetadataPath, other: MetadataPath, report: Report): void {
  const related = [{ message: "the other one", position: other.where.position }];
  const detail =
    path.text === other.text ? `\`${path.text}\` is listed twice` : `\`${path.text}\` and \`${other.text}\`: one is a part of the other`;
  report(problem("settings-contradiction", { ...path.where, related }, { detail, remedy: "remove one of the two" }));
}
