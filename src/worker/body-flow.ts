/**
 * What the streamed steps of one direction have left behind for its body: their transforms, one after the other. The only place that calls them,
 * the only try/catch around them, and where their deadlines are.
 */
import { Buffer } from "node:buffer";
import type { BodyTransform, StreamControl } from "@envoy-policy-engine/sdk";
import type { FailureCode } from "../errors.ts";
import type { HeaderStore } from "./header-store.ts";
import { andThen, DeadlineError, type Eventually, isPromise, within } from "./promises.ts";
import type { Call, RunHost } from "./run-host.ts";
import { Gate } from "./step-gate.ts";
import { StepHeaders } from "./step-headers.ts";

/** Why a body that was on its way cannot come to its end. */
export interface FlowFailure {
  /** Of the step whose transform has failed. */
  readonly call: Call;
  readonly code: FailureCode;
  readonly cause: unknown;
}

/** Bytes in the order in which they go on; none of them is empty. */
export type Parts = readonly Uint8Array[];

interface Stage {
  readonly call: Call;
  readonly transform: BodyTransform;
}

export class BodyFlow {
  /** Of the step whose transform comes first. */
  readonly first: Call;
  readonly #host: RunHost;
  readonly #stages: Stage[] = [];
  #deadlineMs = Number.POSITIVE_INFINITY;
  #ended = false;
  #failure: FlowFailure | undefined;
  readonly #report: (failure: FlowFailure) => void;
  #failed: (failure: FlowFailure) => void = () => {};

  /** @param report hears of the failure first */
  constructor(host: RunHost, first: Call, report: (failure: FlowFailure) => void) {
    this.#host = host;
    this.first = first;
    this.#report = report;
  }

  /** Why it has ended; whatever is given on after that is not to be used. */
  get failure(): FlowFailure | undefined {
    return this.#failure;
  }

  /** Behind those that are there. */
  add(call: Call, transform: BodyTransform): void {
    this.#stages.push({ call, transform });
  }

  /** Hears of the failure when it happens, which may be between two chunks. */
  onFailure(failed: (failure: FlowFailure) => void): void {
    this.#failed = failed;
  }

  /** Not to be called again before it has settled. Never throws or rejects: see `failure`. */
  chunk(bytes: Uint8Array): Eventually<Parts> {
    return andThen(this.#through(bytes, 0), partsOf);
  }

  /** Once, behind the last chunk. @param trailers those behind the body, which the transforms may change */
  end(trailers?: HeaderStore): Eventually<Parts> {
    return andThen(this.#endFrom(0, [], trailers), (parts) => {
      this.#ended = true;
      return parts;
    });
  }

  /** The last chunk, and the end behind it. */
  lastChunk(bytes: Uint8Array): Eventually<Parts> {
    return andThen(this.chunk(bytes), (head) => {
      const kept = head.map(copyOf);
      return andThen(this.end(), (tail) => [...kept, ...tail]);
    });
  }

  /** A body that is there as a whole passes as one chunk. @param deadlineMs until when, on the monotonic clock */
  whole(body: Uint8Array, deadlineMs: number): Eventually<Uint8Array> {
    this.#deadlineMs = deadlineMs;
    return andThen(this.lastChunk(body), joined);
  }

  /** The step of this call ends the body, unless that has already come to its end. */
  abort(call: Call, reason: string): void {
    this.#fail(call, "stream-aborted", new Error(reason));
  }

  #through(bytes: Uint8Array | undefined, from: number): Eventually<Uint8Array | undefined> {
    const stage = this.#stages[from];
    if (stage === undefined || bytes === undefined || bytes.length === 0) return bytes;
    // A copy between two steps: neither may change what the other has kept.
    const own = from === 0 ? bytes : new Uint8Array(bytes);
    const given = this.#call(stage.call, () => stage.transform.chunk(own));
    return andThen(given, (next) => this.#through(next, from + 1));
  }

  #endFrom(index: number, parts: Parts, trailers: HeaderStore | undefined): Eventually<Parts> {
    const stage = this.#stages[index];
    if (stage === undefined) return parts;
    const { call, transform } = stage;
    const gate = new Gate();
    gate.phase = call.phase;
    const seen = trailers && new StepHeaders(trailers, gate, call.phase);
    const last = andThen(
      this.#call(call, () => transform.end(seen)),
      (bytes) => {
        gate.phase = undefined;
        return this.#through(bytes, index + 1);
      },
    );
    return andThen(last, (bytes) => this.#endFrom(index + 1, [...parts, ...partsOf(bytes).map(copyOf)], trailers));
  }

  #call(call: Call, transform: () => unknown): Eventually<Uint8Array | undefined> {
    if (this.#failure !== undefined) return undefined;
    const startedMs = this.#host.monotonicMs();
    const leftMs = Math.min(call.step.timeoutMs, this.#deadlineMs - startedMs);
    if (leftMs <= 0) return this.#fail(call, "policy-timeout", new Error("the message budget was used up by earlier steps"));
    try {
      const result = transform();
      if (isPromise(result)) {
        return within(result, leftMs, this.#host.startTimer).then(
          (value) => this.#accept(call, value),
          (cause: unknown) => this.#fail(call, cause instanceof DeadlineError ? "policy-timeout" : "policy-failed", cause),
        );
      }
      if (this.#host.monotonicMs() - startedMs > leftMs) this.#host.counters.count(call.step.counter, call.phase, "overrun");
      return this.#accept(call, result);
    } catch (cause) {
      return this.#fail(call, "policy-failed", cause);
    }
  }

  #accept(call: Call, result: unknown): Uint8Array | undefined {
    if (result === undefined || result instanceof Uint8Array) return result;
    return this.#fail(call, "policy-failed", new TypeError("a transform returns bytes or nothing"));
  }

  #fail(call: Call, code: FailureCode, cause: unknown): undefined {
    if (this.#failure !== undefined || this.#ended) return;
    this.#failure = { call, code, cause };
    this.#report(this.#failure);
    this.#failed(this.#failure);
  }
}

/** What a streamed step holds while its body is on its way. */
export class StepStream implements StreamControl {
  /** Why it was aborted in `start`; undefined if it was not. */
  reason: string | undefined;
  #abort: ((reason: string) => void) | undefined;

  abort(reason: string): void {
    const text = String(reason);
    if (this.#abort === undefined) this.reason ??= text;
    else this.#abort(text);
  }

  /** `start` has returned: from here on an abort ends the body. */
  started(abort: (reason: string) => void): void {
    this.#abort = abort;
  }
}

const partsOf = (bytes: Uint8Array | undefined): Parts => (bytes === undefined || bytes.length === 0 ? [] : [bytes]);

/** What a policy has given on is still in its hands: it may write its next bytes into the same buffer. */
const copyOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

const joined = (parts: Parts): Uint8Array => Buffer.concat(parts);
