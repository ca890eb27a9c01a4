/** Each number once, then the last one again and again. */
export function inTurn(numbers: readonly number[]): () => number {
  let next = 0;
  return () => numbers[Math.min(next++, numbers.length - 1)] ?? 0.5;
}
