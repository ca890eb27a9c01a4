import type { Finding } from "../finding.ts";
import type { PartReport } from "./run-streams.ts";

export function streamsFindings(reports: readonly PartReport[]): readonly Finding[] {
  return reports.flatMap(({ part, seconds, right, faults, idleBytes, peakBytes }): readonly Finding[] => {
    const title = `${part.exchanges} x ${mebibytes(part.bodyBytes)} MiB each way`;
    const wanted = part.exchanges * 2;
    const growth = peakBytes - idleBytes;
    return [
      {
        what: `${title}: ${seconds.toFixed(1)} s`,
        saw: `${right} bodies right`,
        wanted: `${wanted}`,
        ok: right === wanted,
        details: [...new Set(faults)],
      },
      {
        what: `${title}: resident memory of the engine`,
        saw: `${mebibytes(idleBytes)} MiB, at most ${mebibytes(peakBytes)} (+${mebibytes(growth)})`,
        wanted: `less than +${mebibytes(part.growthBytesMax)}`,
        ok: growth < part.growthBytesMax,
        details: [],
      },
    ];
  });
}

const mebibytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0);
