/**
 * Policy instances, shared by the generations that do not change them: one per chain, step name, exact policy version and hash of the
 * resolved parameters. An unrelated edit of the configuration keeps caches, counters and background work.
 */
import type { PolicyInstance } from "@envoy-policy-engine/sdk";
import type { CheckedStep } from "../config/types.ts";
import type { ChainCounter } from "../observe/chain-counters.ts";
import { createPolicyContext, type OwnedContext } from "./policy-context.ts";
import type { PolicyHost, StepIdentity } from "./policy-host.ts";
import { createSharedValues, type SharedValues } from "./shared-values.ts";

/** `create` depends on no network, so what takes longer hangs. */
export const createTimeoutMs = 10_000;

export interface InstancePool {
  /**
   * Takes a share of the step's instance, creating it if nobody holds it. Rejects with what `create` threw, or with a
   * `CreateTimeoutError` after 10 s.
   */
  acquire(chain: string, step: CheckedStep): Promise<InstanceLease>;
  /** Takes a share of what a chain counts on. */
  acquireCounter(chain: string): CounterLease;
}

export interface InstanceLease {
  readonly instance: PolicyInstance<unknown>;
  /** Index in the step counters. */
  readonly counter: number;
  /** Gives the share back; the last one closes the instance. Called once. */
  release(): void;
}

export interface CounterLease {
  readonly counter: ChainCounter;
  /** Called once. */
  release(): void;
}

export class CreateTimeoutError extends Error {
  override readonly name = "CreateTimeoutError";
}

interface Shared {
  readonly instance: Promise<PolicyInstance<unknown>>;
  readonly owned: OwnedContext;
  readonly counter: number;
  holders: number;
}

export function createInstancePool(host: PolicyHost): InstancePool {
  const pool = new Map<string, Shared>();
  const values = createSharedValues();

  const release = (key: string, shared: Shared): void => {
    shared.holders -= 1;
    if (shared.holders > 0) return;
    if (pool.get(key) === shared) pool.delete(key);
    close(shared, host);
  };

  return {
    async acquire(chain, step) {
      const identity = identityOf(chain, step);
      const key = JSON.stringify([chain, step.name, identity.policy, step.parametersHash]);
      let shared = pool.get(key);
      if (shared === undefined) {
        shared = create(identity, step, host, values);
        pool.set(key, shared);
      }
      shared.holders += 1;
      try {
        const instance = await shared.instance;
        return { instance, counter: shared.counter, release: () => release(key, shared) };
      } catch (error) {
        release(key, shared);
        throw error;
      }
    },
    acquireCounter: (chain) => ({
      counter: host.chainCounters.hold(chain, host.now()),
      release: () => host.chainCounters.release(chain),
    }),
  };
}

function identityOf(chain: string, step: CheckedStep): StepIdentity {
  const { name, version } = step.release.manifest;
  return { chain, step: step.name, policy: `${name}@${version}` };
}

function create(identity: StepIdentity, step: CheckedStep, host: PolicyHost, values: SharedValues): Shared {
  const owned = createPolicyContext(identity, host, values);
  const counter = host.counters.allocate(identity, host.now());
  const made = (async (): Promise<PolicyInstance<unknown>> => step.release.definition.create(step.parameters, owned.context))();
  const instance = new Promise<PolicyInstance<unknown>>((resolve, reject) => {
    const cancel = host.startTimer(createTimeoutMs, () => {
      reject(new CreateTimeoutError(`create took longer than ${createTimeoutMs / 1000} s`));
      // Nobody will use it any more when it arrives: close it then.
      made.then((late) => closeInstance(late, identity, host)).catch(() => {});
    });
    made.then(resolve, reject).finally(cancel);
  });
  return { instance, owned, counter, holders: 0 };
}

function close(shared: Shared, host: PolicyHost): void {
  shared.owned.close();
  host.counters.free(shared.counter);
  const { policy, chain, step } = shared.owned.context;
  shared.instance.then((instance) => closeInstance(instance, { policy, chain, step }, host)).catch(() => {});
}

async function closeInstance(instance: PolicyInstance<unknown>, identity: StepIdentity, host: PolicyHost): Promise<void> {
  try {
    await instance.close?.();
  } catch (error) {
    host.log(identity).error({ err: error }, "closing the instance failed");
  }
}
