import type { PolicyContext, SharedKey } from "@envoy-policy-engine/sdk";
import type { PolicyHost, StepIdentity } from "./policy-host.ts";
import type { SharedValues } from "./shared-values.ts";

const fetchTimeoutMs = 5_000;
const intervalMinMs = 10;
/** What a timer can count; beyond it Node fires at once. */
const delayMaxMs = 2 ** 31 - 1;
const countersMax = 16;
/** Whoever starts something for each request would fill the memory. */
const ownedMax = 64;

/** A context and what must be let go of when its instance is closed. */
export interface OwnedContext {
  readonly context: PolicyContext;
  /** Stops timers, watches and probes. Idempotent. */
  close(): void;
}

/** What an instance gets in place of the globals. Everything it starts ends with it. */
export function createPolicyContext(step: StepIdentity, host: PolicyHost, shared: SharedValues): OwnedContext {
  const owned = new Set<() => void>();
  /** Calls that are under way. Requests make them, so there may be many: they end by their time limit. */
  const calls = new Set<AbortController>();
  let closed = false;
  let counters = 0;
  const log = host.log(step);

  /** Returns what gives it back before its time. */
  const own = (close: () => void): (() => void) => {
    // Of its own, although the same function may be owned twice.
    const owning = (): void => close();
    if (closed) {
      close();
    } else if (owned.size >= ownedMax) {
      close();
      throw new RangeError(`an instance has at most ${ownedMax} timers, files, counters and probes: start them in \`create\``);
    } else {
      owned.add(owning);
    }
    return () => void owned.delete(owning);
  };

  const every = (milliseconds: number, task: () => void | Promise<void>): void => {
    if (!(milliseconds >= intervalMinMs && milliseconds <= delayMaxMs)) {
      throw new RangeError(`an interval is from ${intervalMinMs} to ${delayMaxMs} ms`);
    }
    let cancel = (): void => {};
    const next = (): void => {
      if (closed) return;
      cancel = host.startTimer(milliseconds, () => {
        runTask(task)
          .catch((error: unknown) => log.error({ err: error }, "a background task failed"))
          .finally(next);
      });
    };
    own(() => cancel());
    next();
  };

  const after = (milliseconds: number, task: () => void | Promise<void>): (() => void) => {
    if (!(milliseconds >= 0 && milliseconds <= delayMaxMs)) throw new RangeError(`a delay is from 0 to ${delayMaxMs} ms`);
    const cancel = host.startTimer(milliseconds, () => {
      disown();
      runTask(task).catch((error: unknown) => log.error({ err: error }, "a background task failed"));
    });
    const disown = own(cancel);
    return () => {
      disown();
      cancel();
    };
  };

  const context: PolicyContext = {
    policy: step.policy,
    chain: step.chain,
    step: step.step,
    fetch: async (key, url, init = {}) => {
      const call = new AbortController();
      if (closed) call.abort(closedError());
      calls.add(call);
      const signal = AbortSignal.any([call.signal, init.signal ?? AbortSignal.timeout(fetchTimeoutMs)]);
      try {
        return await host.fetch({ step, key, url, init: { ...init, signal } });
      } finally {
        calls.delete(call);
      }
    },
    file: async (path, onChange) => {
      const watched = await host.watchFile(path, (content) => {
        if (!closed) notify(() => onChange(content));
      });
      own(() => watched.close());
      return watched.content;
    },
    now: () => host.now(),
    random: () => host.random(),
    every,
    after,
    log,
    counter: (name, help) => {
      if (!/^[a-z][a-z0-9_]{0,63}$/.test(name)) throw new TypeError(`\`${name}\` is no counter name: use a-z, 0-9 and _`);
      counters += 1;
      if (counters > countersMax) throw new RangeError(`a step has at most ${countersMax} counters`);
      const counter = host.policyCounters.create(step, name, help);
      own(() => counter.close());
      return { add: (count = 1) => counter.add(count) };
    },
    health: (name, probe) => void own(host.probes.add(step, name, probe)),
    shared: <Value>(key: SharedKey<Value>, make: (context: PolicyContext) => Value) => {
      const lease = shared.acquire(key.name, () => createPolicyContext(step, host, shared), make);
      own(lease.release);
      // The key carries the type.
      return lease.value as Value;
    },
  };

  const notify = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      log.error({ err: error }, "a file's change could not be taken");
    }
  };

  return {
    context,
    close: () => {
      closed = true;
      const closing = [...owned];
      owned.clear();
      for (const call of calls) call.abort(closedError());
      for (const close of closing) close();
    },
  };
}

const closedError = (): Error => new Error("the instance that made the call was closed");

async function runTask(task: () => void | Promise<void>): Promise<void> {
  await task();
}
