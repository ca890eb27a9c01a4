/** Shared metadata along a chain: who writes what before whom. */
import { problem } from "../errors.ts";
import { canonicalJson } from "./canonical.ts";
import type { Place } from "./node.ts";
import { atKey, type Report } from "./read.ts";
import type { WrittenKey } from "./scope.ts";
import type { PolicyManifest, PolicyRelease } from "./types.ts";

/** A key and the step that first wrote it. */
export interface Writer extends WrittenKey {
  readonly policy: string;
  readonly place: Place;
}

export type Written = ReadonlyMap<string, Writer>;

/** Who could write what a step reads, apart from the steps before it. */
export interface OtherWriters {
  /** The steps after it: what they are, and what they write. */
  readonly later: () => readonly { readonly manifest: PolicyManifest; readonly place: Place }[];
  /** All policies there are. */
  readonly policies: Iterable<PolicyRelease>;
}

/** Reports what a step reads and nobody before it writes. */
export function checkReads(
  place: Place,
  { name, version, metadata }: PolicyManifest,
  written: Written,
  others: OtherWriters,
  report: Report,
): void {
  for (const key of metadata.reads.filter((read) => !written.has(read))) {
    const writes = ({ manifest }: { readonly manifest: PolicyManifest }): boolean => Object.hasOwn(manifest.metadata.writes, key);
    const later = others.later().find(writes);
    const related = later && [{ message: "written here", position: later.place.keyPosition }];
    const facts = {
      policy: `${name}@${version}`,
      key,
      later: later && `${later.manifest.name}@${later.manifest.version}`,
      writers: [...new Set([...others.policies].filter(writes).map(({ manifest }) => manifest.name))].sort(),
    };
    report(problem("metadata-not-written", { ...atKey(place), ...(related && { related }) }, facts));
  }
}

/** What is written after a step. `certain`: the step cannot be skipped. Reports a key whose writers do not agree. */
export function afterStep(
  place: Place,
  { name, version, metadata }: PolicyManifest,
  certain: "certain" | "uncertain",
  written: Written,
  report: Report,
): Written {
  const after = new Map(written);
  for (const [key, schema] of Object.entries(metadata.writes)) {
    const policy = `${name}@${version}`;
    const earlier = written.get(key);
    const agreed = earlier === undefined || canonicalJson(meaningOf(schema)) === canonicalJson(meaningOf(earlier.schema));
    if (!agreed) {
      const related = [{ message: `\`${earlier.policy}\` writes it here`, position: earlier.place.keyPosition }];
      report(problem("metadata-conflict", { ...atKey(place), related }, { policy, key, other: earlier.policy }));
    }
    after.set(key, {
      ...(earlier ?? { policy, place, schema }),
      // Who acknowledges that they differ gets a value of which nothing is known.
      ...(agreed ? {} : { schema: {} }),
      certain: certain === "certain" || earlier?.certain === true,
    });
  }
  return after;
}

/** A schema without what is only for readers: two writers may describe the same thing in their own words. */
function meaningOf(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(meaningOf);
  if (typeof schema !== "object" || schema === null) return schema;
  const parts = Object.entries(schema).filter(([keyword]) => !annotations.includes(keyword));
  return Object.fromEntries(
    parts.map(([keyword, part]) => [keyword, namedSchemas.includes(keyword) ? eachMeaning(part) : meaningOf(part)]),
  );
}

/** The keys of these are names, which may be `description` too. */
const namedSchemas = ["properties", "patternProperties", "$defs"];
const annotations = ["description", "title", "examples", "$comment"];

function eachMeaning(schemas: unknown): unknown {
  if (typeof schemas !== "object" || schemas === null) return schemas;
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, meaningOf(schema)]));
}
