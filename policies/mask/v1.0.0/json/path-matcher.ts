import type { Segment, Selector } from "./parse-path.ts";

/** A path and what it stands for. */
export interface BoundPath<Value> {
  readonly segments: readonly Segment[];
  readonly value: Value;
}

/** Where in a document one is, as far as the paths care. */
export interface Place<Value> {
  /** Of the first path that leads exactly here; undefined when none does. */
  readonly value: Value | undefined;
  /** What is looked for below. */
  readonly open: readonly Position<Value>[];
}

/** A segment of a path that something below may match. */
interface Position<Value> {
  readonly segment: Segment;
  /** Undefined behind the last segment. */
  readonly next: Position<Value> | undefined;
  /** Of the path. */
  readonly value: Value;
}

export interface PathMatcher<Value> {
  readonly root: Place<Value>;
  member(parent: Place<Value>, name: Uint8Array): Place<Value>;
  element(parent: Place<Value>, index: number): Place<Value>;
}

/** Follows several paths through a document at once, in the order of the list where two lead to one place. */
export function createPathMatcher<Value>(paths: readonly BoundPath<Value>[]): PathMatcher<Value> {
  const nowhere: Place<Value> = { value: undefined, open: [] };
  const child = (parent: Place<Value>, matches: (selector: Selector) => boolean): Place<Value> => {
    if (parent.open.length === 0) return nowhere;
    const open = new Set<Position<Value>>();
    let value: Value | undefined;
    // Positions stay in the order of their paths, so the first path that gets here is the first of the list.
    for (const position of parent.open) {
      if (position.segment.descendant) open.add(position);
      if (!matches(position.segment.selector)) continue;
      if (position.next === undefined) value ??= position.value;
      else open.add(position.next);
    }
    return open.size === 0 && value === undefined ? nowhere : { value, open: [...open] };
  };
  return {
    root: {
      value: paths.find(({ segments }) => segments.length === 0)?.value,
      open: paths.map(positionsOf).filter((position) => position !== undefined),
    },
    member: (parent, name) =>
      child(parent, (selector) => selector.kind === "any" || (selector.kind === "name" && selector.name.equals(name))),
    element: (parent, index) =>
      child(parent, (selector) => selector.kind === "any" || (selector.kind === "index" && selector.index === index)),
  };
}

/** The first position of a path, linked with those behind it. */
function positionsOf<Value>({ segments, value }: BoundPath<Value>): Position<Value> | undefined {
  return segments.reduceRight<Position<Value> | undefined>((next, segment) => ({ segment, next, value }), undefined);
}
