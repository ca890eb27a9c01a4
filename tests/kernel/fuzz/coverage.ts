/** What conversations have come to, all together: they must not only have seen refusals. */

/** The states of an exchange, by what can be known from outside. */
export const states = [
  "opened",
  "running",
  "awaiting-request-body",
  "awaiting-response",
  "awaiting-response-body",
  "passing",
  "ended",
] as const;
export type State = (typeof states)[number];

export interface Coverage {
  /** An event comes to an exchange in this state. */
  visit(state: State, event: string): void;
  /** A message was answered, by its phase; `held` and `held back` when a step waits for the body behind it. */
  answered(what: string): void;
  visits(state: State, event: string): number;
  answers(what: string): number;
}

export function newCoverage(): Coverage {
  const counts = new Map<string, number>();
  const count = (key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
  return {
    visit: (state, event) => count(`${event} in ${state}`),
    answered: (what) => count(what),
    visits: (state, event) => counts.get(`${event} in ${state}`) ?? 0,
    answers: (what) => counts.get(what) ?? 0,
  };
}
