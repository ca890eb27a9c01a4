/**
 * How long the engine may take to answer one message, milliseconds: 90 % of Envoy's `message_timeout`, so that its own answer wins over
 * Envoy's 504, which no log explains.
 */
export function messageBudgetMs(messageTimeoutMs: number): number {
  return Math.floor(messageTimeoutMs * 0.9);
}
