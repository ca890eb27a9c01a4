// `npm run bench:events`: how much later an event arrives because `mask` looks at it first, against the same Envoy without a chain.
import process from "node:process";
import { type Delays, runEvents } from "./events/run-events.ts";

const events = 300;

process.exitCode = await main();

async function main(): Promise<number> {
  console.error(`${events} event streams each way, one after the other ...`);
  const { masked, alone } = await runEvents(events);
  for (const kind of ["first", "next"] as const) {
    console.log(
      `${kind} event  Envoy alone ${spread(alone, kind)}  through mask ${spread(masked, kind)}  later by ${later(masked, alone, kind)}`,
    );
  }
  return 0;
}

function spread(delays: readonly Delays[], kind: keyof Delays): string {
  const ms = delays.map((delay) => delay[kind]);
  return `p50 ${at(ms, 0.5).toFixed(2)} p95 ${at(ms, 0.95).toFixed(2)} ms`;
}

function later(masked: readonly Delays[], alone: readonly Delays[], kind: keyof Delays): string {
  const differences = masked.map((delay, index) => delay[kind] - (alone[index]?.[kind] ?? 0));
  return `p50 ${at(differences, 0.5).toFixed(2)} (p25 ${at(differences, 0.25).toFixed(2)}, p75 ${at(differences, 0.75).toFixed(2)}) ms`;
}

function at(values: readonly number[], share: number): number {
  return values.toSorted((left, right) => left - right)[Math.floor((values.length - 1) * share)] ?? Number.NaN;
}
