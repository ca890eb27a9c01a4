/**
 * Runs one exchange through a configuration and says what happened, without Envoy and without the outside world. The policies' instances are made
 * for it and closed behind it, so that nothing of a running engine is touched: no counter, no limit's state, no shared value, no cache.
 */
import { namesCredential } from "../config/credential-names.ts";
import type { CheckedConfig, EnvoyPromises } from "../config/types.ts";
import type { Problem } from "../errors.ts";
import { createExchangeRecorder } from "../kernel/exchange-recorder.ts";
import { createStepCounters } from "../observe/step-counters.ts";
import { inTurn } from "../testing/in-turn.ts";
import { createMockedCalls } from "../testing/mocked-calls.ts";
import { startPreparedEngine } from "../testing/prepared-engine.ts";
import { type TestExchange, testHost } from "../testing/test-engine.ts";
import { bind } from "../worker/bind.ts";
import type { Explanation } from "../worker/explanation.ts";
import { createInstancePool } from "../worker/instances.ts";
import type { PolicyHost } from "../worker/policy-host.ts";
import { createRecentDecisions } from "../worker/recent-decisions.ts";
import { bodyText, createRedaction, redacted, redactedCopy } from "../worker/redaction.ts";
import type { ExplainRequest } from "./request-file.ts";

export interface Explained {
  readonly explanation: Explanation;
  /** What reached the upstream; undefined when nothing did. */
  readonly upstream: TestExchange["upstream"];
  /** Undefined when the engine ended the exchange with an error. */
  readonly client: TestExchange["client"] | undefined;
  /** Outgoing calls that policies made and to which no answer is given. */
  readonly unansweredCalls: readonly string[];
}

export interface ExplainHost {
  readonly envoy: EnvoyPromises;
  /** Milliseconds since the epoch, where the request does not say where the clock stands. */
  readonly now: () => number;
  readonly startTimer: PolicyHost["startTimer"];
  /** Reads what policies ask for by `context.file`. */
  readonly watchFile: PolicyHost["watchFile"];
  /** Removes the secrets that have been read. */
  readonly redact: (text: string) => string;
}

/** Longer texts are cut. */
const textUnitsMax = 1024;

/** Problems: what only a policy's `create` finds. */
export async function explainExchange(
  config: CheckedConfig,
  asked: ExplainRequest,
  host: ExplainHost,
): Promise<Explained | { readonly problems: readonly Problem[] }> {
  const calls = createMockedCalls(asked.calls ?? []);
  const { now: frozen, random = [0.5], route, request, response } = asked;
  const now = frozen === undefined ? host.now : () => Date.parse(frozen);
  const counters = createStepCounters();
  const { startTimer, watchFile, redact } = host;
  const policyHost = { ...testHost({ random: inTurn(random), fetch: calls.fetch, startTimer, counters }, now), watchFile };
  // As `policy-engine envoy` prints it for any settings: the simulated Envoy obeys.
  const envoy: EnvoyPromises = { ...host.envoy, identity: "both", allowModeOverride: true };
  const chosen = { ...config, chains: chainsOf(config, route) };
  const bound = await bind(chosen, { instances: createInstancePool(policyHost), envoy, redact });
  if ("problems" in bound) return bound;

  const recent = createRecentDecisions({ summariesMax: 1, timelinesMax: 1 }, redact);
  let id = "";
  const engine = startPreparedEngine(
    { config: chosen, ...bound },
    {
      envoy,
      now,
      startTimer,
      counters,
      recorder: (parts) =>
        createExchangeRecorder({
          ...parts,
          envoy,
          now,
          redact,
          done: (explanation) => {
            id = explanation.id;
            recent.explained(explanation);
          },
        }),
      replied: (event) => {
        if (event.request !== undefined) recent.replied({ ...event, request: event.request });
      },
    },
  );
  try {
    // The explanation says why the engine has ended an exchange; Envoy would answer that with a 500 of its own.
    const seen = await engine.exchange({ ...request, route }, response).catch(() => undefined);
    const decision = recent.find(id);
    if (decision?.detail !== "timeline") throw new Error("the exchange has left no explanation");
    const { detail: _, ...explanation } = decision;
    return { explanation, ...shown(seen, calls.unknown(), asked, redact) };
  } finally {
    engine.close();
  }
}

/** Those that the route can lead to: nobody waits for the instances of others. */
function chainsOf({ chains, routes, unmatched }: CheckedConfig, route: string): CheckedConfig["chains"] {
  const names = [routes.get(route), unmatched.kind === "chain" ? unmatched.chain : undefined];
  return new Map([...chains].filter(([name]) => names.includes(name)));
}

function shown(
  seen: TestExchange | undefined,
  unansweredCalls: readonly string[],
  { request = {}, response = {} }: ExplainRequest,
  redact: (text: string) => string,
): Omit<Explained, "explanation"> {
  const redaction = createRedaction(redact);
  const sent = [request.headers, response.headers].flatMap((headers) => Object.entries(headers ?? {}));
  const lines = [[":path", request.path ?? "/"] as const, ...sent];
  redaction.learn(
    lines.flatMap(([name, values]) => [values].flat().map((value) => ({ name: name.toLowerCase(), value: Buffer.from(value) }))),
  );
  return redactedCopy(
    { upstream: seen?.upstream && withoutCredentials(seen.upstream), client: seen && withoutCredentials(seen.client), unansweredCalls },
    redaction,
    textUnitsMax,
  );
}

interface ShownMessage {
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
}

function withoutCredentials<Message extends ShownMessage>(message: Message): Message {
  const headers = Object.entries(message.headers).map(([name, values]) => [
    name,
    namesCredential(name) ? values.map(() => redacted) : values,
  ]);
  const body = message.body === "" ? "" : bodyText(Buffer.from(message.body));
  return { ...message, headers: Object.fromEntries(headers), body };
}
