import type { EnvoyPromises } from "../config/types.ts";
import type { BodyUse } from "../worker/chain.ts";
import type { BodyDelivery } from "../worker/run-outcome.ts";
import { bodyMode } from "./body-mode.ts";
import { type ModesInForce, modeOverride, type Wants } from "./processing-mode.ts";
import type { Direction } from "./whole-body.ts";
import type { ConfiguredBodies } from "./wire/decode.ts";
import type { ModeOverride } from "./wire/encode.ts";

/** What Envoy sends of one exchange: as its own configuration says at first, then as the last override has asked. */
export class NegotiatedModes {
  readonly #allowModeOverride: boolean;
  #inForce: ModesInForce;

  constructor({ allowModeOverride, responseHeaders }: EnvoyPromises) {
    this.#allowModeOverride = allowModeOverride;
    this.#inForce = responseHeaders === "sent" ? withResponseHeaders : requestHeadersOnly;
  }

  /** The first message has told how bodies are configured. */
  configured({ request, response }: ConfiguredBodies): void {
    if (request === this.#inForce.requestBody && response === this.#inForce.responseBody) return;
    this.#inForce = { ...this.#inForce, requestBody: request, responseBody: response };
  }

  inPieces(direction: Direction): boolean {
    return this.#inForce[`${direction}Body`] === "full-duplex-streamed";
  }

  delivery(direction: Direction): BodyDelivery {
    return this.inPieces(direction) ? "in-chunks" : "whole";
  }

  /**
   * Whether Envoy sends a body as it is used: it is configured to, or obeys when it is asked; for what it passes through, whole does as well. Where it
   * is configured to send it in another way, an override that it ignores could not be told from one that it obeys, and the first piece would pass for
   * the whole.
   */
  canHave(direction: Direction, use: BodyUse): boolean {
    const mode = this.#inForce[`${direction}Body`];
    if (use === "none" || mode === bodyMode(use)) return true;
    return mode === "none" ? this.#allowModeOverride : mode === "buffered";
  }

  /** What the answer to a headers message asks of Envoy; it counts as obeyed. Undefined: nothing. */
  override(wants: Wants): ModeOverride | undefined {
    if (!this.#allowModeOverride) return undefined;
    const override = modeOverride(wants, this.#inForce);
    this.#inForce = override ?? this.#inForce;
    return override;
  }
}

const requestHeadersOnly: ModesInForce = { requestBody: "none", responseHeaders: "skip", responseBody: "none" };
const withResponseHeaders: ModesInForce = { ...requestHeadersOnly, responseHeaders: "send" };
