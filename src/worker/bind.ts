/** From a checked configuration to chains that are ready to run. Everything that can be decided now is decided now. */
import type { PolicyInstance } from "@envoy-policy-engine/sdk";
import type { CheckedChain, CheckedConfig, CheckedStep, EnvoyPromises } from "../config/types.ts";
import { type Problem, problem } from "../errors.ts";
import type { BoundHandler, BoundStep, Chain } from "./chain.ts";
import { CreateTimeoutError, createTimeoutMs, type InstanceLease, type InstancePool } from "./instances.ts";

export interface BindEnvironment {
  readonly instances: InstancePool;
  readonly envoy: EnvoyPromises;
  /** Removes secret values from a text that a policy has written. */
  readonly redact: (text: string) => string;
}

export type Bound =
  | { readonly chains: ReadonlyMap<string, Chain>; release(): void }
  /** Whatever was created on the way has been closed again. */
  | { readonly problems: readonly Problem[] };

/** Creates the instances of every step (in parallel) and checks what only an instance can tell. All problems of all chains at once. */
export async function bind(config: CheckedConfig, environment: BindEnvironment): Promise<Bound> {
  const results = await Promise.all([...config.chains.values()].map((chain) => bindChain(chain, environment)));
  const leases = results.flatMap((result) => result.leases);
  const release = (): void => {
    for (const lease of leases) lease.release();
  };
  const problems = results.flatMap((result) => result.problems);
  if (problems.length === 0) return { chains: new Map(results.map(({ chain }) => [chain.name, chain])), release };
  release();
  return { problems };
}

interface ChainResult {
  readonly chain: Chain;
  readonly leases: readonly { release(): void }[];
  readonly problems: readonly Problem[];
}

async function bindChain(checked: CheckedChain, environment: BindEnvironment): Promise<ChainResult> {
  const problems: Problem[] = [];
  const counter = environment.instances.acquireCounter(checked.name);
  const leases: { release(): void }[] = [counter];
  const steps: BoundStep[] = [];
  await Promise.all(
    checked.steps.map(async (step, index) => {
      try {
        const lease = await environment.instances.acquire(checked.name, step);
        leases.push(lease);
        const bound = bindStep(step, lease);
        if ("problem" in bound) problems.push(bound.problem);
        else steps[index] = bound.step;
      } catch (error) {
        problems.push(createProblem(step, error, environment.redact));
      }
    }),
  );
  const responder = steps.find((step) => step?.response !== undefined);
  const { allowModeOverride, responseHeaders } = environment.envoy;
  if (responder !== undefined && !allowModeOverride && responseHeaders === "skipped") {
    const where = { position: checked.position, path: `chains.${checked.name}` };
    problems.push(problem("response-headers-not-sent", where, { chain: checked.name, step: responder.name }));
  }
  const chain = {
    name: checked.name,
    hash: checked.hash,
    steps,
    counter: counter.counter,
    hasResponse: responder !== undefined,
    rawPath: checked.rawPath,
    bodyBytesMax: checked.bodyBytesMax ?? environment.envoy.bodyBytesMax,
  };
  return { chain, leases, problems };
}

function bindStep(step: CheckedStep, lease: InstanceLease): { readonly step: BoundStep } | { readonly problem: Problem } {
  const { instance, counter } = lease;
  const { manifest } = step.release;
  const policy = policyName(step);
  const fault = shapeFault(instance);
  if (fault !== undefined) return { problem: problem("handler-shape", where(step), { policy, detail: fault }) };
  const { request, response } = instance;
  if (step.whenReadsResponse && request !== undefined) {
    return { problem: problem("when-reads-response", where(step), { step: step.name, policy }) };
  }
  return {
    step: {
      name: step.name,
      policy,
      when: step.when,
      whenReadsResponse: step.whenReadsResponse,
      request: bindHandler(request, instance),
      response: bindHandler(response, instance),
      reads: { requestBody: readsPart(step, "request.json"), responseBody: readsPart(step, "response.json") },
      timeoutMs: step.timeoutMs,
      onError: step.onError,
      onUpgrade: step.onUpgrade,
      onStream: step.onStream,
      rights: {
        mutates: new Set(manifest.mutates),
        reads: new Set(manifest.metadata.reads),
        writes: new Set(Object.keys(manifest.metadata.writes)),
      },
      counter,
    },
  };
}

/** Whether conditions or parameters read a variable or a part of it. */
function readsPart({ reads }: CheckedStep, name: string): boolean {
  return [...reads].some((path) => path === name || path.startsWith(`${name}.`));
}

/** A function needs headers only; an object says how it wants the body. */
function bindHandler(
  handler: PolicyInstance<unknown>["request"] | PolicyInstance<unknown>["response"],
  instance: PolicyInstance<unknown>,
): BoundHandler | undefined {
  if (handler === undefined) return undefined;
  if (typeof handler === "function") return { body: "none", handle: handler.bind(instance) };
  if (handler.body === "buffered") return { body: "buffered", handle: handler.handle.bind(handler) };
  return { body: "streamed", start: handler.start.bind(handler) };
}

/** What is wrong with what `create` returned; the definition's types say it too, but not every policy is compiled against them. */
function shapeFault(instance: PolicyInstance<unknown>): string | undefined {
  const value: unknown = instance;
  if (typeof value !== "object" || value === null) return "`create` must return an object with `request` or `response`";
  if (instance.request === undefined && instance.response === undefined) return "`create` returned neither `request` nor `response`";
  for (const name of ["request", "response"] as const) {
    const handler: unknown = instance[name];
    if (handler === undefined || typeof handler === "function") continue;
    if (typeof handler !== "object" || handler === null || !isBodyHandler(handler)) {
      return `\`${name}\` must be a function or an object with \`body: "buffered"\` and \`handle\`, or \`body: "streamed"\` and \`start\``;
    }
  }
  return undefined;
}

function isBodyHandler(handler: object): boolean {
  const method = Reflect.get(handler, "body") === "streamed" ? "start" : "handle";
  return ["buffered", "streamed"].includes(Reflect.get(handler, "body")) && typeof Reflect.get(handler, method) === "function";
}

function createProblem(step: CheckedStep, error: unknown, redact: (text: string) => string): Problem {
  const facts = { step: step.name, policy: policyName(step) };
  if (error instanceof CreateTimeoutError) return problem("policy-create-timeout", where(step), { ...facts, timeoutMs: createTimeoutMs });
  const detail = redact(textOf(error));
  return problem("policy-create-failed", where(step), { ...facts, detail });
}

/** What a policy throws is its own object: reading it may run its code once more. */
function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "what it threw cannot be read";
  }
}

const policyName = ({ release: { manifest } }: CheckedStep): string => `${manifest.name}@${manifest.version}`;

const where = ({ position, path }: CheckedStep): Pick<Problem, "position" | "path"> => ({ position, path });
