/** An answer of the admin port. */
export interface Page {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What is shown may come from another process. */
export type Eventually<Value> = Value | Promise<Value>;

/** Goes on with it, at once if it is there. */
export function whenThere<Value, Next>(value: Eventually<Value>, next: (value: Value) => Next): Eventually<Next> {
  return value instanceof Promise ? value.then(next) : next(value);
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Page {
  return { status, body: `${JSON.stringify(body, undefined, 2)}\n`, headers: { "content-type": "application/json", ...headers } };
}

/** The last part of a path, percent-decoded; undefined when it is no UTF-8. It may hold slashes. */
export function decoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
