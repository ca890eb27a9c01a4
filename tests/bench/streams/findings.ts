import type { Finding } from "../finding.ts";
import type { PartReport } from "./run-streams.ts";

export function streamsFindings(reports: readonly PartReport[]): readonly Finding[] {
  return reports.flatMap(({ part, seconds, right, faults, idle, peak }): readonly Finding[] => {
    const title = `${part.exchanges} x ${mebibytes(part.bodyBytes)} MiB each way`;
    const wanted = part.exchanges * 2;
    const growth = peak.heldBytes - idle.heldBytes;
    return [
      {
        what: `${title}: ${seconds.toFixed(1)} s`,
        saw: `${right} bodies right`,
        wanted: `${wanted}`,
        ok: right === wanted,
        details: [...new Set(faults)],
      },
      {
        what: `${title}: what the engine holds`,
        saw: grown(idle.heldBytes, peak.heldBytes),
        wanted: `less than +${mebibytes(part.heldBytesMax)}`,
        ok: growth < part.heldBytesMax,
        details: [],
      },
      {
        what: `${title}: its resident memory`,
        saw: grown(idle.residentBytes, peak.residentBytes),
        wanted: "",
        ok: true,
        details: [],
      },
    ];
  });
}

const grown = (idle: number, peak: number): string => `${mebibytes(idle)} MiB, at most ${mebibytes(peak)} (+${mebibytes(peak - idle)})`;

const mebibytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0);
