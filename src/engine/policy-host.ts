/** What stands behind the context of policies in a running engine. */
import type { Log as PolicyLog } from "@envoy-policy-engine/sdk";
import { watchFiles } from "../files/watch.ts";
import type { Log } from "../observe/log.ts";
import type { PolicyHost, StepIdentity } from "../worker/policy-host.ts";
import { outgoingFetch } from "./outgoing-fetch.ts";

/** @param log the engine's log; lines of a policy carry its chain, step and version */
export function createPolicyHost(
  log: Log,
  registries: Pick<PolicyHost, "counters" | "chainCounters" | "policyCounters" | "probes">,
): PolicyHost {
  return {
    ...registries,
    now: () => Date.now(),
    random: () => Math.random(),
    startTimer: (milliseconds, expired) => {
      const timer = setTimeout(expired, milliseconds);
      timer.unref();
      return () => clearTimeout(timer);
    },
    fetch: ({ url, init }) => outgoingFetch(url, init),
    watchFile: (path, onChange) => watchOneFile(path, onChange, log),
    log: (step) => policyLog(log, step),
  };
}

async function watchOneFile(
  path: string,
  onChange: (content: Uint8Array) => void,
  log: Log,
): Promise<{ content: Uint8Array; close(): void }> {
  const watch = await watchFiles([path], (state) => {
    if (state.kind === "failed") log.warn({ path, err: state.error }, "a watched file cannot be read: its last content stays in use");
    else for (const { bytes } of state.files) onChange(bytes);
  });
  const close = (): void => {
    watch.close().catch((error: unknown) => log.warn({ path, err: error }, "a file's watch could not be closed"));
  };
  if (watch.first.kind === "failed") {
    close();
    throw watch.first.error;
  }
  const [file] = watch.first.files;
  return { content: file?.bytes ?? new Uint8Array(), close };
}

function policyLog({ ofPolicies }: Log, { chain, step, policy }: StepIdentity): PolicyLog {
  const named = (facts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({ ...facts, chain, step, policy });
  return {
    debug: (facts, message) => ofPolicies.debug(named(facts), message),
    info: (facts, message) => ofPolicies.info(named(facts), message),
    warn: (facts, message) => ofPolicies.warn(named(facts), message),
    error: (facts, message) => ofPolicies.error(named(facts), message),
  };
}
