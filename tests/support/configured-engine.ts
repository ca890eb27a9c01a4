/** The configuration path and the kernel in one process, without sockets: what providers deliver, and what traffic gets then. */

import type { PolicyRegistry } from "../../src/config/types.ts";
import { type Configuration, createConfiguration } from "../../src/engine/configuration.ts";
import { logGivenUp } from "../../src/engine/configuration-log.ts";
import { useInProcess } from "../../src/engine/use-in-process.ts";
import { ProcessingMode_BodySendMode as BodyMode } from "../../src/generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import { createGenerationHolder, type GenerationHolder } from "../../src/generations/holder.ts";
import { createPreparer } from "../../src/generations/prepare-unless-superseded.ts";
import { createSecrets } from "../../src/generations/secrets.ts";
import { createExchangeCounters } from "../../src/kernel/exchange-counters.ts";
import { createKernel } from "../../src/kernel/kernel.ts";
import { createLog } from "../../src/observe/log.ts";
import { createStepCounters } from "../../src/observe/step-counters.ts";
import type { Registration } from "../../src/providers/source.ts";
import { exchangeThroughKernel } from "../../src/testing/simulated-envoy.ts";
import { testCheckEnvironment, testHost } from "../../src/testing/test-engine.ts";
import { createInstancePool } from "../../src/worker/instances.ts";
import { ExchangeRun } from "../../src/worker/run.ts";
import { scriptPolicies } from "./script-policy.ts";

export interface ConfiguredEngine {
  readonly configuration: Configuration;
  readonly generations: GenerationHolder;
  /** Lines of the log, as they are. */
  readonly log: readonly LogLine[];
  /** What an exchange on a route comes to: the header `x-stamp` that the upstream got, or the code of the refusal. */
  ask(route: string): Promise<string>;
}

export type LogLine = Readonly<Record<string, unknown>>;

export interface ConfiguredParts {
  readonly registrations: readonly Registration[];
  /** The folder of the last good generation. */
  readonly state?: string;
  /** Default: the `script` policies. */
  readonly policies?: PolicyRegistry;
  readonly variables?: Readonly<Record<string, string>>;
}

export async function configuredEngine(parts: ConfiguredParts): Promise<ConfiguredEngine> {
  const { registrations, state, policies = scriptPolicies, variables = {} } = parts;
  const lines: LogLine[] = [];
  const secrets = createSecrets(variables);
  const log = createLog({
    level: "debug",
    redact: secrets.redact,
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  const host = testHost({ counters: createStepCounters() }, Date.now);
  const environment = { ...testCheckEnvironment(policies, {}), secret: secrets.read };
  const generations = createGenerationHolder(Date.now);
  const prepareEnvironment = { ...environment, instances: createInstancePool(host), redact: secrets.redact };
  const configuration = await createConfiguration({
    registrations,
    use: useInProcess({
      generations,
      environment: prepareEnvironment,
      preparer: createPreparer(prepareEnvironment, { startTimer: host.startTimer, givenUp: (problems) => logGivenUp(log, problems) }),
      counters: host.counters,
    }),
    secrets,
    settings: { state },
    log,
    startTimer: host.startTimer,
  });
  let code: string | undefined;
  const { open } = createKernel({
    generations,
    envoy: environment.envoy,
    counters: createExchangeCounters(),
    engineMetadata: undefined,
    now: Date.now,
    monotonicMs: () => performance.now(),
    newId: () => "decision",
    refusesNew: () => false,
    bodyNotSent: () => {},
    ended: () => {},
    startRun: (chain, received, generation) =>
      new ExchangeRun(chain, received, { monotonicMs: () => performance.now(), ...host, failed: () => {} }, generation),
    replied: ({ reply }) => {
      code = reply.code;
    },
  });
  const request = {
    headers: [
      [":method", "GET"],
      [":path", "/"],
      [":scheme", "https"],
      [":authority", "example.com"],
    ] as const,
    body: undefined,
    trailers: [],
    configured: { request: BodyMode.NONE, response: BodyMode.NONE },
  };
  return {
    configuration,
    generations,
    log: lines,
    async ask(route) {
      code = undefined;
      const response = { headers: [[":status", "200"] as const], body: undefined, trailers: [] };
      const { upstream } = await exchangeThroughKernel(open, { ...request, route, attributes: {} }, () => response);
      return upstream?.headers.find(([name]) => name === "x-stamp")?.[1] ?? code ?? "no stamp";
    },
  };
}

/** A configuration whose route `orders` gives every request this stamp. */
export function stamping(stamp: string): string {
  return `version: 1
chains:
  orders: { steps: [{ policy: script@1, parameters: { request: [{ do: set, name: x-stamp, value: "${stamp}" }] } }] }
routes: { orders: orders }
`;
}
