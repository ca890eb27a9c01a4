import { type Finding, growth } from "../finding.ts";
import type { ChaosReport } from "./run-chaos.ts";

export interface ChaosBounds {
  /** How many different configurations answers must have come from, at least. */
  readonly configurationsMin: number;
  readonly liveMsMax: number;
  /** What the heap may have grown by between the second calm and the last. */
  readonly growthMax: number;
}

export function chaosFindings(report: ChaosReport, bounds: ChaosBounds): readonly Finding[] {
  const { seconds, replaced, sent, wrong, configurationsSeen, generation, refused, reasons, liveMs, brokenAcknowledged, reported, open } =
    report;
  const live = liveMs.map(Math.round).toSorted((one, other) => one - other);
  const answers = sent.orders + sent.reports;
  return [
    finding("replacements", `${replaced.all} in ${seconds.toFixed(1)} s, ${replaced.broken} broken`, "some", replaced.broken > 0),
    { ...finding("generations", `${generation} in use, ${refused} refusals`, "some refusals", refused > 0), details: [reasons.join(", ")] },
    finding(
      "configurations that answers came from",
      `${configurationsSeen}`,
      `at least ${bounds.configurationsMin}`,
      configurationsSeen >= bounds.configurationsMin,
    ),
    {
      ...finding("answers over HTTP/1 and HTTP/2", `${answers}, ${wrong.count} wrong`, "0 wrong", wrong.count === 0),
      details: wrong.first,
    },
    finding(
      "from the last write of a storm until it is live",
      `${live.join(", ")} ms`,
      `at most ${bounds.liveMsMax} ms`,
      live.every((one) => one <= bounds.liveMsMax),
    ),
    finding("broken states acknowledged", `${brokenAcknowledged.length}`, "0", brokenAcknowledged.length === 0),
    finding("exchanges reported to the control plane", `${reported} of ${sent.reports}`, "all", reported === sent.reports),
    finding("open at the end", `${open.generations} generation, ${open.exchanges} exchanges`, "1 and 0", isAtRest(open)),
    ...memoryFindings(report, bounds),
  ];
}

function memoryFindings({ memory }: ChaosReport, { growthMax }: ChaosBounds): readonly Finding[] {
  const [before, after] = [memory[1], memory.at(-1)];
  if (before === undefined || after === undefined) return [];
  return [growth("the engine's heap after a collection, second and last calm", before.heapBytes, after.heapBytes, growthMax)];
}

const isAtRest = ({ generations, exchanges }: ChaosReport["open"]): boolean => generations === 1 && exchanges === 0;

function finding(what: string, saw: string, wanted: string, ok: boolean): Finding {
  return { what, saw, wanted, ok, details: [] };
}
