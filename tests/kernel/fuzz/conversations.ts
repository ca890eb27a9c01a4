/** What happens to a stream, in order. */
import fc from "fast-check";
import { ProcessingMode_BodySendMode as BodyMode } from "../../../src/generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import { codings, type PhaseCase, phases, pieceOf, type Sent, sent, wellFormed } from "./messages.ts";

export type Event =
  | { readonly do: "message"; readonly sent: Sent }
  /** More messages at once than may wait for a step. */
  | { readonly do: "flood"; readonly sent: Sent }
  | { readonly do: "noise"; readonly bytes: Uint8Array }
  | { readonly do: "settle" | "rest" | "turn" | "quiet" | "half-close" | "close" | "abandon" };

const anyPhase = fc.option(fc.constantFrom(...phases), { nil: undefined, freq: 12 });
export const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: sent(anyPhase).map((sent) => ({ do: "message" as const, sent })) },
  { weight: 1, arbitrary: sent(fc.constantFrom<PhaseCase>("requestBody", "responseBody")).map((sent) => ({ do: "flood" as const, sent })) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ do: "noise" as const, bytes })) },
  { weight: 5, arbitrary: fc.constantFrom({ do: "settle" as const }, { do: "rest" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "turn" as const }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: "half-close" as const }, { do: "close" as const }, { do: "abandon" as const }) },
);
const seldom = (events: fc.Arbitrary<Event[]>): fc.Arbitrary<Event[]> =>
  fc.oneof({ weight: 1, arbitrary: fc.constant<Event[]>([]) }, { weight: 1, arbitrary: events });
/** The body modes that the route is configured for. */
type Modes = fc.Arbitrary<Sent["configured"]>;
/** What Envoy would send next, once the message before is answered. */
export const wellFormedConversation = (modes: Modes): fc.Arbitrary<readonly Sent[]> =>
  fc
    .record({
      coding: fc.constantFrom(...codings),
      modes,
      requestBody: fc.boolean(),
      pieces: fc.nat({ max: 2 }),
      response: fc.constantFrom<PhaseCase[]>(
        [],
        ["responseHeaders"],
        ["responseHeaders", "responseBody"],
        ["responseHeaders", "responseTrailers"],
      ),
    })
    .map(({ coding, modes, requestBody, pieces, response }) => {
      const before = (phase: "requestBody" | "responseBody", index: 0 | 1): readonly Sent[] =>
        coding === "none" && modes?.[index] === BodyMode.FULL_DUPLEX_STREAMED ? Array.from({ length: pieces }, () => pieceOf(phase)) : [];
      return [
        wellFormed("requestHeaders", coding, modes),
        ...(requestBody ? [...before("requestBody", 0), wellFormed("requestBody", coding)] : []),
        ...response.flatMap((phase) => [...(phase === "responseBody" ? before(phase, 1) : []), wellFormed(phase, coding)]),
      ];
    });

const oddEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 7,
    arbitrary: sent(fc.option(fc.constantFrom(...phases), { nil: undefined })).map((sent) => ({ do: "message" as const, sent })),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ do: "noise" as const, bytes })) },
  { weight: 3, arbitrary: fc.constantFrom({ do: "half-close" as const }, { do: "close" as const }, { do: "abandon" as const }) },
);

/** One that is well-formed so far, whatever comes then: so that everything comes to an exchange in every state. */
const tameConversation = (modes: Modes): fc.Arbitrary<readonly Event[]> =>
  fc
    .tuple(wellFormedConversation(modes), fc.nat(), oddEvent, fc.array(event, { maxLength: 2 }))
    .map(([messages, place, odd, then]) => [...answeredOneByOne(messages.slice(0, place % (messages.length + 1))), odd, ...then]);

/** Most begin as Envoy does, and many go on so: else nothing but refusals would be seen. */
const wildConversation = (modes: Modes): fc.Arbitrary<readonly Event[]> =>
  fc
    .tuple(
      fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      fc.constantFrom(...codings),
      modes,
      seldom(fc.array(event, { maxLength: 5 })),
      fc.boolean(),
      fc.boolean(),
      fc.constantFrom(...codings),
      seldom(fc.array(event, { maxLength: 3 })),
      fc.constantFrom("body", "body", "trailers", "nothing"),
      fc.array(event, { maxLength: 3 }),
    )
    .map(([opens, coding, modes, before, sends, responds, otherCoding, between, sendsBack, after]) => [
      ...(opens ? [message("requestHeaders", coding, modes)] : []),
      ...(sends ? [message("requestBody", coding)] : []),
      ...before,
      ...(responds ? [{ do: "rest" } as const, message("responseHeaders", otherCoding)] : []),
      ...between,
      ...(sendsBack === "nothing"
        ? []
        : [{ do: "settle" } as const, message(sendsBack === "body" ? "responseBody" : "responseTrailers", otherCoding)]),
      ...after,
    ]);

export const conversation = (modes: Modes): fc.Arbitrary<readonly Event[]> => fc.oneof(wildConversation(modes), tameConversation(modes));

/** As Envoy sends them: the next when the one before is answered. */
export function answeredOneByOne(messages: readonly Sent[]): readonly Event[] {
  return messages.flatMap((sent): readonly Event[] => [{ do: "message", sent }, { do: "quiet" }]);
}

function message(...parts: Parameters<typeof wellFormed>): Event {
  return { do: "message", sent: wellFormed(...parts) };
}
