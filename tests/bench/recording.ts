// `npm run bench:recording [-- CHECKOUT]`: what recording costs, and what it costs where it is off: paired rounds in one process, against another
// checkout of the project where one is named. CPU time, because the clock of a shared machine also counts what others do.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { exchangesOf } from "./recording/exchanges.ts";

const rounds = 30;
const exchanges = 2_000;
const warmUps = 5;
const root = fileURLToPath(new URL("../..", import.meta.url));

process.exitCode = await main(process.argv[2]);

async function main(other: string | undefined): Promise<number> {
  const plain = await exchangesOf(root, "plain");
  if (other !== undefined) compare("off, against the other checkout", plain, await exchangesOf(other, "plain"));
  compare("on, against off", await exchangesOf(root, "recorded"), plain);
  return 0;
}

type Side = (count: number) => void;

function compare(name: string, one: Side, two: Side): void {
  for (let round = 0; round < warmUps; round += 1) for (const side of [one, two]) microseconds(side);
  const pairs = Array.from({ length: rounds }, (_, round) => {
    // Who is first takes turns: a machine that gets slower must not favour anybody.
    const [first, second] = round % 2 === 0 ? [one, two] : [two, one];
    const [before, after] = [microseconds(first), microseconds(second)];
    return round % 2 === 0 ? { one: before, two: after } : { one: after, two: before };
  });
  const ratios = pairs.map((pair) => pair.one / pair.two).toSorted((left, right) => left - right);
  const each = pairs.map((pair) => pair.one).toSorted((left, right) => left - right)[rounds / 2] ?? Number.NaN;
  // Order statistics of the binomial distribution: of 30 values the 10th and the 21st hold the median between them with 95 %.
  const [low, median, high] = [ratios[9], ratios[rounds / 2], ratios[20]].map((ratio) => ratio?.toFixed(3));
  console.log(`recording ${name}: ${each.toFixed(1)} us of CPU for an exchange, x ${median} (95 % of the median: ${low} to ${high})`);
}

function microseconds(side: Side): number {
  const before = process.cpuUsage();
  side(exchanges);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / exchanges;
}
