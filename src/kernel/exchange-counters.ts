/**
 * How exchanges ended: `failed` is the engine's own refusal, `gone` a client that left before there was an answer. `body-not-sent`: the stream
 * ended while a step waited for a body, so that the step did not run. Client or upstream broke off, or Envoy ignored the override that asked
 * for the body: its messages are the same (measured).
 */
export type ExchangeEnd = (typeof exchangeEnds)[number];

export const exchangeEnds = ["continued", "passed", "replied", "failed", "gone", "body-not-sent"] as const;

/** Counts of exchanges, read by the metrics. */
export interface ExchangeCounters {
  opened(): void;
  /** Every opened exchange is closed once. */
  closed(end: ExchangeEnd): void;
  /** A message of Envoy's `observability_mode`: it decides nothing, which is a misconfiguration. */
  observed(): void;
  read(): ExchangeCounts;
}

export interface ExchangeCounts {
  readonly open: number;
  readonly observed: number;
  readonly ended: Readonly<Record<ExchangeEnd, number>>;
}

export function createExchangeCounters(): ExchangeCounters {
  let open = 0;
  let observed = 0;
  const ended: Record<ExchangeEnd, number> = { continued: 0, passed: 0, replied: 0, failed: 0, gone: 0, "body-not-sent": 0 };
  return {
    opened() {
      open += 1;
    },
    closed(end) {
      open -= 1;
      ended[end] += 1;
    },
    observed() {
      observed += 1;
    },
    read: () => ({ open, observed, ended: { ...ended } }),
  };
}
