import type { FetchInit, Health, Log } from "@envoy-policy-engine/sdk";
import type { ChainCounters } from "../observe/chain-counters.ts";
import type { StepCounters } from "../observe/step-counters.ts";

/** What stands behind a policy's context: the real world in the engine, a frozen one in tests. */
export interface PolicyHost {
  /** Milliseconds since the epoch. */
  now(): number;
  random(): number;
  /** Calls back once after at least this time; returns what cancels it. Does not keep the process alive. */
  startTimer(milliseconds: number, expired: () => void): () => void;
  fetch(call: OutgoingCall): Promise<Response>;
  /** Reads a file and watches it until the returned function is called. */
  watchFile(path: string, onChange: (content: Uint8Array) => void): Promise<{ readonly content: Uint8Array; close(): void }>;
  log(step: StepIdentity): Log;
  readonly counters: StepCounters;
  readonly chainCounters: ChainCounters;
  readonly policyCounters: PolicyCounters;
  readonly probes: Probes;
}

export interface StepIdentity {
  readonly chain: string;
  readonly step: string;
  /** `policy@version` */
  readonly policy: string;
}

/** An outgoing call of a step. `key` groups the calls that share a fate. */
export interface OutgoingCall {
  readonly step: StepIdentity;
  readonly key: string;
  readonly url: string;
  readonly init: FetchInit;
}

/** Counters that policies make themselves. */
export interface PolicyCounters {
  create(step: StepIdentity, name: string, help: string): { add(count: number): void; close(): void };
}

/** What `/readyz` shows of the things that steps depend on. */
export interface Probes {
  add(step: StepIdentity, name: string, probe: () => Health): () => void;
}
