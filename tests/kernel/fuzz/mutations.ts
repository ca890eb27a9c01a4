/** What may become of a conversation that was well-formed so far. */
import fc from "fast-check";
import type { Event } from "./conversations.ts";
import type { Sent } from "./messages.ts";

export interface Mutation {
  readonly kind: "truncated" | "reordered" | "duplicated" | "oversized" | "random";
  /** Where it is cut. */
  readonly at: number;
  readonly noise: Uint8Array;
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom<Mutation["kind"]>("truncated", "reordered", "duplicated", "oversized", "random"),
  at: fc.nat({ max: 4000 }),
  noise: fc.uint8Array({ maxLength: 40 }),
});

/** The events in the place of a message, and in the place of those behind it. */
export function mutated(message: Sent, behind: readonly Sent[], { kind, at, noise }: Mutation): readonly Event[] {
  const rest = behind.map(asEvent);
  switch (kind) {
    case "truncated":
      return [asEvent({ ...message, damage: { kind: "cut", at } }), ...rest];
    case "reordered":
      return [...rest.toReversed(), asEvent(message)];
    case "duplicated":
      return [asEvent(message), asEvent(message), ...rest];
    case "oversized":
      return [asEvent({ ...message, copies: 400, body: Buffer.alloc(1_000_000) }), ...rest];
    case "random":
      return [{ do: "noise", bytes: noise }, ...rest];
    default:
      return kind satisfies never;
  }
}

const asEvent = (sent: Sent): Event => ({ do: "message", sent });
