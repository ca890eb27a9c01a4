/** What a policy returns may come at once or later. A value that is there costs no promise. */

export type Eventually<Value> = Value | Promise<Value>;

/** Rejects what is not settled in time. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** Goes on with the value, at once if it is there. Not called `then`: a module that exports that is a thenable itself, and no import of it settles. */
export function andThen<Value, Next>(value: Eventually<Value>, next: (value: Value) => Eventually<Next>): Eventually<Next> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Whether it is a thenable. Throws what reading its `then` throws. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/**
 * Settles as the thenable does, once and later, whatever it does; a native promise costs one turn. Rejects with a `DeadlineError` when that takes
 * longer than this.
 *
 * @param startTimer calls back once after at least this time; returns what cancels it
 */
export function within(
  thenable: PromiseLike<unknown>,
  milliseconds: number,
  startTimer: (milliseconds: number, expired: () => void) => () => void,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const cancel = startTimer(milliseconds, () => reject(new DeadlineError(`no answer after ${Math.round(milliseconds)} ms`)));
    awaited(thenable).then(
      (value) => {
        cancel();
        resolve(value);
      },
      (cause: unknown) => {
        cancel();
        reject(cause);
      },
    );
  });
}

async function awaited(thenable: PromiseLike<unknown>): Promise<unknown> {
  return await thenable;
}
