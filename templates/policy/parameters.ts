// Generated from policy.yaml by `npm run generate`: change that, not this.

/** Which requests are refused. */
export interface Parameters {
  /** Name of the header that a request must have, in any case. */
  readonly header: string;
  /** HTTP status of the refusal, from 400 to 499. Default: 400. */
  readonly status: number;
}
