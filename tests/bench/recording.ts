// `npm run bench:recording [-- CHECKOUT]`: what recording costs, and what it costs where it is off: paired rounds, each side in a process of its own,
// against another checkout of the project where one is named. A headers-only exchange through five conditional steps.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const rounds = 30;
const exchanges = 20_000;
const root = fileURLToPath(new URL("../..", import.meta.url));

process.exitCode = main(process.argv[2]);

function main(other: string | undefined): number {
  const sides = [
    { name: "on", against: root, kind: "recorded" },
    ...(other === undefined ? [] : [{ name: "off, against the other checkout", against: other, kind: "plain" }]),
  ];
  for (const { name, against, kind } of sides) {
    const ratios = Array.from({ length: rounds }, (_, round) => {
      process.stderr.write(`\rrecording ${name}: round ${round + 1} of ${rounds}`);
      // Who is first takes turns: a machine that gets slower must not favour anybody.
      const [one, two] =
        round % 2 === 0
          ? [microseconds(root, "plain"), microseconds(against, kind)]
          : [microseconds(against, kind), microseconds(root, "plain")].reverse();
      return kind === "recorded" ? (two ?? 0) / (one ?? 1) : (one ?? 0) / (two ?? 1);
    }).toSorted((left, right) => left - right);
    process.stderr.write("\n");
    const at = (share: number): string => (ratios[Math.floor((rounds - 1) * share)] ?? Number.NaN).toFixed(3);
    console.log(`recording ${name}: CPU per exchange x ${at(0.5)} (p25 ${at(0.25)}, p75 ${at(0.75)}; ${interval(ratios)})`);
  }
  return 0;
}

function microseconds(checkout: string, kind: string): number {
  const script = join(root, "tests/bench/recording/exchanges.ts");
  return Number(
    execFileSync(process.execPath, [script, checkout, String(exchanges), kind], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }),
  );
}

/** Order statistics of the binomial distribution for 30 values: the median lies between the 10th and the 21st with 95 %. */
function interval(sorted: readonly number[]): string {
  return `95 % of the median ${sorted[9]?.toFixed(3)} to ${sorted[20]?.toFixed(3)}`;
}
