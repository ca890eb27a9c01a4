/** What is frozen stays frozen, and a policy that gives every exchange the same record need not have it looked through each time. */
const frozen = new WeakSet<object>();

/**
 * Freezes lists and plain objects, all the way down; values of other kinds are no data that a schema could describe. No recursion: how deep
 * data is may be a client's choice.
 */
export function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || frozen.has(value)) return;
  frozen.add(value);
  const parts = new Set([value]);
  for (const part of parts) {
    if (typeof part !== "object" || part === null) continue;
    const prototype: unknown = Object.getPrototypeOf(part);
    if (!Array.isArray(part) && prototype !== Object.prototype && prototype !== null) continue;
    for (const inner of Object.values(Object.freeze(part))) parts.add(inner);
  }
}
