/** Longer words are never compared: the work grows with the product of the lengths. */
const wordUnitsMax = 64;

/**
 * The candidate that was most likely meant by `word`, or undefined when none is near: at most one edit for every three letters, at least
 * one. An edit inserts, deletes or replaces a letter, or swaps two neighbours; case counts for nothing.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > wordUnitsMax) return undefined;
  const wanted = word.toLowerCase();
  const editsMax = Math.max(1, Math.floor(word.length / 3));
  let best: { readonly candidate: string; readonly edits: number } | undefined;
  for (const candidate of candidates) {
    if (candidate === word || Math.abs(candidate.length - word.length) > editsMax) continue;
    const edits = countEdits(wanted, candidate.toLowerCase());
    if (edits <= editsMax && (best === undefined || edits < best.edits)) best = { candidate, edits };
  }
  return best?.candidate;
}

/** The optimal string alignment distance, row by row. */
function countEdits(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = at(last, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      let edits = Math.min(replaced, at(last, column) + 1, at(current, column - 1) + 1);
      if (from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) edits = Math.min(edits, at(beforeLast, column - 2) + 1);
      current.push(edits);
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
