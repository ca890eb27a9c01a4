/** What becomes of exchanges, as lines for people. */
import { failureCatalogue } from "../errors.ts";
import type { BodyNotSentEvent, ReplyEvent } from "../kernel/kernel-host.ts";
import { ErrorFacts, type Log } from "../observe/log.ts";
import type { ReceivedRequest } from "../worker/received.ts";
import { createRedaction } from "../worker/redaction.ts";
import type { StepFailure } from "../worker/run-host.ts";

/** Removes the secrets that the engine has read. */
type Redact = (text: string) => string;

export function logStepFailure(log: Log, { request, cause, durationMs: _, ...facts }: StepFailure, redact: Redact): void {
  log.error({ id: request.id, ...facts, err: errorOf(request, cause, redact) }, `step failed: ${failureCatalogue[facts.code].remedy}`);
}

/**
 * One line for each reply: an approved exchange leaves none, nor do those that are refused by the thousand.
 *
 * @param reason the policy's, without credentials
 */
export function logReply(
  log: Log,
  { reply, id, request, chain, generation, cause }: ReplyEvent,
  reason: string | undefined,
  redact: Redact,
): void {
  const facts = { id, status: reply.status, code: reply.code, route: request?.route.name, chain, generation };
  if (reply.step !== undefined) return log.info({ ...facts, step: reply.step, reason }, "a policy replied");
  // Said once for all of them, by the guard that refuses them.
  if (reply.code === "overloaded") return;
  const failure = Object.entries(failureCatalogue).find(([code]) => code === reply.code);
  const level = reply.status >= 500 ? "error" : "info";
  log[level](
    {
      ...facts,
      step: reply.failedStep,
      ...(cause === undefined ? {} : { err: errorOf(request, cause, redact) }),
      remedy: failure?.[1].remedy,
    },
    "the engine refused an exchange",
  );
}

/** One line for each: a client that breaks off and an override that Envoy ignores look the same, and the second is a hole. */
export function logBodyNotSent(log: Log, { id, request, chain, generation, direction }: BodyNotSentEvent): void {
  log.warn(
    {
      id,
      code: "body-not-sent",
      direction,
      route: request?.route.name,
      chain,
      generation,
      remedy: failureCatalogue["body-not-sent"].remedy,
    },
    "an exchange ended before the body that a step waits for: broken off, or, where every one ends so, Envoy ignores overrides",
  );
}

/** Whoever throws may quote what the client has sent. */
function errorOf(request: ReceivedRequest | undefined, cause: unknown, redact: Redact): ErrorFacts {
  const redaction = createRedaction(redact);
  if (request !== undefined) redaction.learn(request.headers.entries());
  return new ErrorFacts(cause, redaction.whole);
}
