/** Which headers a step writes: what its policy's manifest says, looked up in the step's parameters. */
import { pointerKeys, pointerTo } from "./pointer.ts";
import type { HeaderWrite } from "./types.ts";

export interface WrittenHeader {
  readonly kind: HeaderWrite["kind"];
  /** In lower case. */
  readonly header: string;
  /** JSON Pointer to the name in the parameters; the parameters themselves for a name that the manifest fixes. */
  readonly pointer: string;
  /** JSON Pointer to the map that holds the name. */
  readonly holder: string;
  /** The key beside the name because of which the header may keep what it had; undefined when it never does. */
  readonly keptBy: string | undefined;
}

/** @param parameters with their defaults */
export function headerWrites(declared: readonly HeaderWrite[], parameters: unknown): readonly WrittenHeader[] {
  return declared.flatMap(({ kind, name, unless }) =>
    namesAt(name, parameters).map(({ header, pointer, holder }) => ({
      kind,
      header: header.toLowerCase(),
      pointer,
      holder: holder.pointer,
      keptBy: unless.find((key) => isGiven(entry(holder.value, key))),
    })),
  );
}

interface Found {
  readonly pointer: string;
  readonly value: unknown;
}

function namesAt(
  name: string,
  parameters: unknown,
): readonly { readonly header: string; readonly pointer: string; readonly holder: Found }[] {
  const root = { pointer: "", value: parameters };
  if (!name.startsWith("/")) return [{ header: name, pointer: "", holder: root }];
  const keys = pointerKeys(name);
  const holders = keys.slice(0, -1).reduce<readonly Found[]>((places, key) => places.flatMap((place) => step(place, key)), [root]);
  return holders.flatMap((holder) =>
    step(holder, keys.at(-1) ?? "").flatMap(({ pointer, value }) =>
      typeof value === "string" ? [{ header: value, pointer, holder }] : [],
    ),
  );
}

function step({ pointer, value }: Found, key: string): readonly Found[] {
  if (typeof value !== "object" || value === null) return [];
  const keys = key === "*" ? Object.keys(value) : [key];
  return keys.filter((one) => Object.hasOwn(value, one)).map((one) => ({ pointer: pointerTo(pointer, one), value: entry(value, one) }));
}

function entry(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false;
}
