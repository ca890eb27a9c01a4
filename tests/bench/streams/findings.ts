import type { Finding } from "../finding.ts";
import type { LiveMemory } from "../live-memory.ts";
import type { Look, PartReport } from "./run-streams.ts";

export function streamsFindings(reports: readonly PartReport[]): readonly Finding[] {
  return reports.flatMap(({ part, seconds, right, faults, idle, peak }): readonly Finding[] => {
    const title = `${part.exchanges} x ${mebibytes(part.bodyBytes)} MiB each way`;
    const wanted = part.exchanges * 2;
    const { what, bytes } = looked[part.look];
    return [
      {
        what: `${title}: ${seconds.toFixed(1)} s`,
        saw: `${right} bodies right`,
        wanted: `${wanted}`,
        ok: right === wanted,
        details: [...new Set(faults)],
      },
      {
        what: `${title}: ${what}`,
        saw: grown(bytes(idle), bytes(peak)),
        wanted: `less than +${mebibytes(part.growthBytesMax)}`,
        ok: bytes(peak) - bytes(idle) < part.growthBytesMax,
        details: [`heap ${grown(idle.heapBytes, peak.heapBytes)}`, `outside of it ${grown(idle.externalBytes, peak.externalBytes)}`],
      },
    ];
  });
}

const looked: Readonly<Record<Look, { readonly what: string; readonly bytes: (memory: LiveMemory) => number }>> = {
  held: { what: "what the engine holds", bytes: ({ heapBytes, externalBytes }) => heapBytes + externalBytes },
  resident: { what: "its resident memory", bytes: ({ residentBytes }) => residentBytes },
};

const grown = (idle: number, peak: number): string => `${mebibytes(idle)} MiB, at most ${mebibytes(peak)} (+${mebibytes(peak - idle)})`;

const mebibytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0);
