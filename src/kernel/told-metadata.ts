import type { EngineMetadata } from "./engine-metadata.ts";
import type { Identified } from "./received-messages.ts";
import { engineNamespace } from "./route-identity.ts";
import { withDynamicMetadata } from "./wire/encode.ts";

/** The shared metadata of an exchange as far as it matters here. */
interface MetadataSource {
  /** Another number whenever something has been written. */
  readonly revision: number;
  get(key: string): unknown;
}

/** Tells Envoy about one exchange, each state of its metadata once. */
export class ToldMetadata {
  readonly #engineMetadata: EngineMetadata | undefined;
  readonly #exchange: Identified;
  #toldRevision = -1;

  /** @param engineMetadata undefined where nobody wants to be told */
  constructor(engineMetadata: EngineMetadata | undefined, exchange: Identified) {
    this.#engineMetadata = engineMetadata;
    this.#exchange = exchange;
  }

  /** @param source undefined where no chain has run */
  addTo(answer: Uint8Array, source: MetadataSource | undefined): Uint8Array {
    const revision = source?.revision ?? 0;
    if (this.#engineMetadata === undefined || revision === this.#toldRevision) return answer;
    this.#toldRevision = revision;
    return withDynamicMetadata(answer, { [engineNamespace]: this.#engineMetadata(this.#exchange.id, source) });
  }
}
