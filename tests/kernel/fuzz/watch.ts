/** What one exchange has seen so far, beside the engine. */
import type { EngineDoes } from "../../conversations/conversation.ts";
import type { PhaseCase } from "./messages.ts";
import type { PassingBody } from "./passing-body.ts";
import type { Direction } from "./steps.ts";
import type { Stage } from "./transforms.ts";

/** `faults` is what should not have happened. */
export interface Watch {
  readonly faults: string[];
  /** All that the engine has written. */
  readonly writes: EngineDoes[];
  /** Handlers that were called, and those that have let the exchange go on. */
  readonly called: Set<string>;
  readonly done: Set<string>;
  readonly unanswered: PhaseCase[];
  /** Directions whose headers were answered while steps of theirs wait for the body. */
  readonly holding: Set<Direction>;
  /** Directions whose body Envoy sends whole, as it says. */
  readonly whole: Set<Direction>;
  /** Directions whose body Envoy sends in pieces, as it says: nobody may take one for the whole. */
  readonly pieces: Set<Direction>;
  /** Directions whose body Envoy sends in FULL_DUPLEX_STREAMED, as it says. */
  readonly duplex: Set<Direction>;
  /** Bodies that pass in pieces, from their headers on. */
  readonly passing: Map<Direction, PassingBody>;
  /** What streamed handlers have left behind for the body of a direction. */
  readonly stages: Readonly<Record<Direction, Stage[]>>;
  /** Directions whose headers have come, and those of them whose headers end them. */
  readonly begun: Set<Direction>;
  readonly bodyless: Set<Direction>;
  /** Directions whose headers said how long the body is. */
  readonly measured: Set<Direction>;
  running: number;
  /** A step has promised what never comes: its deadline must pass. */
  hangs: boolean;
  halfClosed: boolean;
  replied: boolean;
  ended: boolean;
  /** The transport has said that there is no room, and not yet that there is again. */
  full: boolean;
  paused: boolean;
}

export function newWatch(): Watch {
  return {
    faults: [],
    writes: [],
    called: new Set(),
    done: new Set(),
    unanswered: [],
    holding: new Set(),
    whole: new Set(),
    pieces: new Set(),
    duplex: new Set(),
    passing: new Map(),
    stages: { request: [], response: [] },
    begun: new Set(),
    bodyless: new Set(),
    measured: new Set(),
    running: 0,
    hangs: false,
    halfClosed: false,
    replied: false,
    ended: false,
    full: false,
    paused: false,
  };
}
