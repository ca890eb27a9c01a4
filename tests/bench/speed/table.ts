/** A report for people (markdown) and for machines (JSON). */
import { addedOf, ratioOf, type Sandwich, type Spread, spreadOf } from "./figures.ts";
import type { Phase } from "./measure.ts";
import type { GroupReport, SpeedReport } from "./run-speed.ts";

export interface SpeedTable {
  readonly machine: Machine;
  readonly rows: readonly Row[];
  readonly held: SpeedReport["held"];
  readonly answers: number;
  readonly wrong: number;
  readonly faults: readonly string[];
}

export interface Machine {
  readonly processors: string;
  readonly memoryGiB: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly when: string;
  /** Of the whole machine over a minute, before and after: with more than there are cores, others were at work too. */
  readonly loadAverage: readonly [number, number];
}

export interface Row {
  readonly load: string;
  readonly contender: string;
  readonly reference: string;
  /** Processor time for each exchange, to the reference's beside it; each round's ratio. */
  readonly cpuRatios: readonly number[];
  readonly cpuRatio: Spread | undefined;
  readonly cpuUs: Spread | undefined;
  /** Envoy's own, and what of it is more than alone, to what the reference adds. */
  readonly envoyUs: Spread | undefined;
  readonly envoyAddedRatio: Spread | undefined;
  readonly perSecond: Spread | undefined;
  readonly rates: readonly RateFigures[];
  readonly startupMs: number | undefined;
  readonly idleMiB: number | undefined;
  readonly loadedMiB: number | undefined;
}

export interface RateFigures {
  readonly perSecond: number;
  readonly cpuUs: Spread | undefined;
  /** Above Envoy alone beside it. */
  readonly addedP50Ms: Spread | undefined;
  readonly addedP95Ms: Spread | undefined;
  readonly addedP99Ms: Spread | undefined;
  readonly latenessP99Ms: Spread | undefined;
  readonly unsentShare: Spread | undefined;
}

export function tableOf(report: SpeedReport, machine: Machine): SpeedTable {
  const { held, answers, wrong, faults } = report;
  return { machine, rows: report.groups.flatMap((group) => rowsOf(group, report)), held, answers, wrong, faults };
}

function rowsOf({ group, reference, closed, open }: GroupReport, { processes }: SpeedReport): readonly Row[] {
  const nobody = [...closed.values()][0] ?? [];
  // Each round's own: the reference right after Envoy alone.
  const added = nobody.map(({ phase, before, after }) => (before.envoyUs + after.envoyUs) / 2 - phase.envoyUs);
  const row = (contender: string, sandwiches: readonly Sandwich[]): Row => {
    const spread = (figure: (phase: Phase) => number): Spread | undefined => spreadOf(sandwiches.map(({ phase }) => figure(phase)));
    const cpuRatios = sandwiches.map((sandwich) => ratioOf(sandwich, ({ cpuUs }) => cpuUs));
    const process = processes.get(contender);
    return {
      load: group.load,
      contender,
      reference: reference.name,
      cpuRatios,
      cpuRatio: spreadOf(cpuRatios),
      cpuUs: spread(({ cpuUs }) => cpuUs),
      envoyUs: spread(({ envoyUs }) => envoyUs),
      envoyAddedRatio: spreadOf(
        sandwiches.map((sandwich, round) => 1 + addedOf(sandwich, ({ envoyUs }) => envoyUs) / (added[round] ?? Number.NaN)),
      ),
      perSecond: spread(({ perSecond }) => perSecond),
      rates: open.map(({ perSecond, rounded }) => rateFigures(perSecond, rounded.get(contender) ?? [])),
      startupMs: process?.startupMs,
      idleMiB: process && process.idleBytes / 1024 ** 2,
      loadedMiB: process && process.loadedBytes / 1024 ** 2,
    };
  };
  // The reference itself, as it was around Envoy alone.
  const itself = nobody.map(({ before, after }) => ({ before, phase: after, after: before }));
  return [row(reference.name, itself), ...[...closed].map(([name, sandwiches]) => row(name, sandwiches))];
}

function rateFigures(perSecond: number, sandwiches: readonly Sandwich[]): RateFigures {
  const added = (of: "p50Ms" | "p95Ms" | "p99Ms"): Spread | undefined =>
    spreadOf(sandwiches.map((sandwich) => addedOf(sandwich, ({ latency }) => latency?.[of] ?? Number.NaN)));
  return {
    perSecond,
    cpuUs: spreadOf(sandwiches.map(({ phase }) => phase.cpuUs)),
    addedP50Ms: added("p50Ms"),
    addedP95Ms: added("p95Ms"),
    addedP99Ms: added("p99Ms"),
    latenessP99Ms: spreadOf(sandwiches.map(({ phase }) => phase.latency?.latenessP99Ms ?? Number.NaN)),
    unsentShare: spreadOf(sandwiches.map(({ phase }) => phase.latency?.unsentShare ?? Number.NaN)),
  };
}

/** With more, latencies say how long it was measured. */
const unsentShareMax = 0.01;

export function markdownOf({ machine, rows, held, answers, wrong }: SpeedTable): string {
  const loads = [...new Set(rows.map(({ load }) => load))];
  const { processors, memoryGiB, system, versions, when, loadAverage } = machine;
  return [
    `${when}, ${processors}, ${memoryGiB.toFixed(0)} GiB, ${system}; ${Object.entries(versions)
      .map((pair) => pair.join(" "))
      .join(", ")}.`,
    `Load average ${loadAverage.map((load) => load.toFixed(1)).join(" before and ")} after. ${answers} answers looked at, ${wrong} wrong.`,
    "Figures are min / **median** / max of the rounds. Ratios are to the reference's phases right before and after.",
    ...loads.map((load) =>
      loadTable(
        load,
        rows.filter((row) => row.load === load),
      ),
    ),
    ...(held.length === 0 ? [] : [heldTable(held)]),
  ].join("\n\n");
}

function loadTable(load: string, rows: readonly Row[]): string {
  const rates = rows[0]?.rates ?? [];
  const heads = [
    `${load}: who is asked`,
    `CPU for each exchange, ratio to ${rows[0]?.reference}`,
    "CPU us",
    "Envoy's CPU us",
    "added to Envoy's, ratio",
    "exchanges/s",
    ...rates.flatMap(({ perSecond }) => [`CPU us at ${perSecond}/s`, `added p50, p95, p99 at ${perSecond}/s, ms`]),
    "start-up, ms",
    "MiB idle, loaded",
  ];
  const lines = rows.map((row) => {
    // Where Envoy asks nobody, there is no process.
    const own = (cell: string): string => (row.startupMs === undefined ? "-" : cell);
    return [
      row.contender,
      own(text(row.cpuRatio, 2)),
      own(text(row.cpuUs, 0)),
      text(row.envoyUs, 0),
      text(row.envoyAddedRatio, 2),
      text(row.perSecond, 0),
      ...row.rates.flatMap((rate) => [own(median(rate.cpuUs, 0)), addedText(rate)]),
      row.startupMs?.toFixed(0) ?? "-",
      row.idleMiB === undefined || row.loadedMiB === undefined ? "-" : `${row.idleMiB.toFixed(0)}, ${row.loadedMiB.toFixed(0)}`,
    ];
  });
  return markdownTable([heads, ...lines]);
}

function addedText({ addedP50Ms, addedP95Ms, addedP99Ms, unsentShare }: RateFigures): string {
  if ((unsentShare?.median ?? 0) > unsentShareMax) return "does not keep up";
  return [addedP50Ms, addedP95Ms, addedP99Ms].map((added) => median(added, 2)).join(", ");
}

function heldTable(held: SpeedReport["held"]): string {
  const kibibytes = (bytes: number | undefined): string => (bytes === undefined ? "-" : (bytes / 1024).toFixed(1));
  const lines = held.map(({ contender, residentBytes, liveBytes }) => [contender, kibibytes(residentBytes), kibibytes(liveBytes)]);
  return markdownTable([["open exchanges", "resident KiB each", "in use after a collection, KiB each"], ...lines]);
}

function markdownTable([heads = [], ...lines]: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function text(spread: Spread | undefined, digits: number): string {
  if (spread === undefined) return "-";
  return `${spread.min.toFixed(digits)} / **${spread.median.toFixed(digits)}** / ${spread.max.toFixed(digits)}`;
}

function median(spread: Spread | undefined, digits: number): string {
  return spread?.median.toFixed(digits) ?? "-";
}
