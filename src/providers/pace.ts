/** When a remote provider asks again. */

const firstRetryMs = 1_000;

/** Between two questions that are answered: give or take a tenth, so that engines that started together do not ask together. */
export function pollDelayMs(intervalMs: number, random: () => number): number {
  return intervalMs * (0.9 + 0.2 * random());
}

/**
 * After failures in a row: from half a second to a second after the first, twice as long after each more, up to `maxMs`; anywhere in the
 * upper half of it, so that engines that lost one server do not come back to it together.
 */
export function retryDelayMs(failures: number, maxMs: number, random: () => number): number {
  const longest = Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 30), maxMs);
  return longest * (0.5 + 0.5 * random());
}
