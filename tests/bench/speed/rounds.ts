/** The order in which everybody has their turn. */
import type { Sandwich } from "./figures.ts";
import type { Phase } from "./measure.ts";
import type { Place } from "./stage.ts";

export interface Rounds {
  readonly reference: Place;
  readonly places: readonly Place[];
  readonly count: number;
  /** One phase on one of them. */
  readonly measure: (place: Place) => Promise<Phase>;
  readonly onPhase: (phase: Phase) => void;
}

/** By the contender's name: what each round has seen of it, between two phases of the reference. */
export type Rounded = ReadonlyMap<string, readonly Sandwich[]>;

/** reference, first, reference, second, reference ... and the same again in each round. */
export async function playRounds({ reference, places, count, measure, onPhase }: Rounds): Promise<Rounded> {
  const seen = new Map<string, Sandwich[]>(places.map(({ contender }) => [contender.name, []]));
  const play = async (place: Place): Promise<Phase> => {
    const phase = await measure(place);
    onPhase(phase);
    return phase;
  };
  for (let round = 0; round < count; round += 1) {
    let before = await play(reference);
    for (const place of places) {
      const phase = await play(place);
      const after = await play(reference);
      seen.get(place.contender.name)?.push({ before, phase, after });
      before = after;
    }
  }
  return seen;
}
