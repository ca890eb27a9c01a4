import type { Headers as SdkHeaders } from "@envoy-policy-engine/sdk";
import type { StepPhase } from "../observe/step-counters.ts";
import { changeableHeaderName, headerValue } from "./header-rules.ts";
import type { HeaderStore } from "./header-store.ts";
import type { Gate } from "./step-gate.ts";

/** Headers or trailers of one message as one step sees them. */
export class StepHeaders implements SdkHeaders {
  readonly #store: HeaderStore;
  readonly #gate: Gate;
  readonly #phase: StepPhase;

  constructor(store: HeaderStore, gate: Gate, phase: StepPhase) {
    this.#store = store;
    this.#gate = gate;
    this.#phase = phase;
  }

  get(name: string): string | undefined {
    return this.#read().text(readableName(name));
  }

  getAll(name: string): readonly string[] {
    return this.#read().texts(readableName(name));
  }

  getBytes(name: string): readonly Uint8Array[] {
    // Copies: the received bytes are Envoy's message, which every step shares.
    return this.#read()
      .values(readableName(name))
      .map((value) => new Uint8Array(value));
  }

  has(name: string): boolean {
    return this.#read().has(readableName(name));
  }

  names(): readonly string[] {
    return this.#read().names();
  }

  set(name: string, value: string | Uint8Array | readonly (string | Uint8Array)[]): void {
    const lower = changeableHeaderName(name);
    const values =
      typeof value === "string" || value instanceof Uint8Array
        ? [headerValue(lower, value)]
        : [...value].map((one) => headerValue(lower, one));
    this.#write().change(lower, values);
  }

  append(name: string, value: string | Uint8Array): void {
    const lower = changeableHeaderName(name);
    const store = this.#write();
    store.change(lower, [...store.values(lower), headerValue(lower, value)]);
  }

  delete(name: string): void {
    this.#write().change(changeableHeaderName(name), []);
  }

  #read(): HeaderStore {
    this.#gate.read();
    return this.#store;
  }

  #write(): HeaderStore {
    this.#gate.write(this.#phase);
    return this.#store;
  }
}

/** Pseudo-headers are not headers here: they have properties of their own. */
const readableName = (name: string): string => (name.startsWith(":") ? "" : name.toLowerCase());
