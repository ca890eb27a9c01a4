/** Which Envoy attributes expressions need, from the variables they read. */
import type { CheckedStep } from "../config/types.ts";
import { routeMetadataAttribute } from "../kernel/route-identity.ts";

/** Attribute to the path of the first step that reads it, `chains.api.steps[0]`. */
export type AttributeReaders = ReadonlyMap<string, string>;

export function attributeReaders(steps: readonly Pick<CheckedStep, "path" | "reads">[]): AttributeReaders {
  const readers = new Map<string, string>();
  for (const { path, reads } of steps) {
    for (const attribute of [...reads].flatMap(attributesOf)) if (!readers.has(attribute)) readers.set(attribute, path);
  }
  return readers;
}

const routeMetadata = "route.metadata.";

function attributesOf(read: string): readonly string[] {
  if (read === "source") return ["source.address", "source.port"];
  if (read === "source.address" || read === "source.port") return [read];
  if (!read.startsWith(routeMetadata)) return [];
  const attribute = routeMetadataAttribute(read.slice(routeMetadata.length));
  return attribute === undefined ? [] : [attribute];
}
