import type { Explained } from "./explain-exchange.ts";
import type { ExplainRequest } from "./request-file.ts";

/** What tells one of several exchanges from the others. */
export interface ExchangeTitle {
  /** Undefined where the request file gives it none. */
  readonly name: string | undefined;
  /** `GET /orders?page=2`, without credentials. */
  readonly request: string;
  readonly route: string;
}

export function titleOf({ name, route }: ExplainRequest, { explanation: { request } }: Explained): ExchangeTitle {
  return { name, request: `${request.method} ${request.path}`, route };
}

/** `GET /orders, route orders: a valid key` */
export function exchangeTitle({ name, request, route }: ExchangeTitle): string {
  return `${request}, route ${route}${name === undefined ? "" : `: ${name}`}`;
}
