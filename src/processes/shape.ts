/** What a message from another process must look like, so that a wrong one is refused at the border and not found deep inside. */

export type Guard<Value> = (value: unknown) => value is Value;

export const text: Guard<string> = (value) => typeof value === "string";
export const number: Guard<number> = (value) => typeof value === "number";
/** Whatever it is; whoever uses it looks at it. */
export const anything: Guard<unknown> = (_value): _value is unknown => true;

export function literal<const Value extends string | number>(expected: Value): Guard<Value> {
  return (value): value is Value => value === expected;
}

export function optional<Value>(guard: Guard<Value>): Guard<Value | undefined> {
  return (value): value is Value | undefined => value === undefined || guard(value);
}

export function list<Value>(guard: Guard<Value>): Guard<readonly Value[]> {
  return (value): value is readonly Value[] => Array.isArray(value) && value.every(guard);
}

/** A map whose keys are anybody's. */
export function record<Value>(guard: Guard<Value>): Guard<Readonly<Record<string, Value>>> {
  return (value): value is Readonly<Record<string, Value>> => isObject(value) && Object.values(value).every(guard);
}

/** An object with these keys; others are let through, for a later version may say more. */
export function shape<Value extends object>(guards: { readonly [Key in keyof Value]-?: Guard<Value[Key]> }): Guard<Value> {
  const keys = Object.entries<(value: unknown) => boolean>(guards);
  return (value): value is Value => isObject(value) && keys.every(([key, guard]) => guard(Reflect.get(value, key)));
}

export function oneOf<Value>(...guards: readonly ((value: unknown) => value is Value)[]): Guard<Value> {
  return (value): value is Value => guards.some((guard) => guard(value));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
