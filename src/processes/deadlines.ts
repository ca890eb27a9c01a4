/** How long the parent waits for a worker, milliseconds. */
export interface Deadlines {
  /** From its start until it listens. */
  readonly startMs: number;
  /** Until a generation is prepared: each `create` of a policy has 10 s, and they run side by side. */
  readonly prepareMs: number;
  /** Until it has taken a generation into use: the assignment of a reference, behind whatever its event loop is busy with. */
  readonly commitMs: number;
  /** Until it answers for a page or for the metrics; without an answer they do without it. */
  readonly answerMs: number;
  /** Between two looks at whether its event loop turns. */
  readonly pulseMs: number;
  /** Until it is taken for hanging. */
  readonly hangMs: number;
  /** Who has worked that long is started again at once, whatever was before. */
  readonly stableMs: number;
}

export const defaultDeadlines: Deadlines = {
  startMs: 30_000,
  prepareMs: 20_000,
  commitMs: 5_000,
  answerMs: 2_000,
  pulseMs: 5_000,
  hangMs: 30_000,
  stableMs: 60_000,
};

/** The longest pause before a worker that ends again and again is started again, milliseconds. */
export const restartDelayMsMax = 30_000;

/** After the grace period a worker may take so long for its last words, milliseconds. */
export const lastWordsMs = 5_000;
