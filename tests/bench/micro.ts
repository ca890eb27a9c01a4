// `npm run bench:micro`: what the parts of an exchange cost inside the process, without Envoy and without a transport.
import process from "node:process";
import { parseArgs } from "node:util";
import { type Sample, sample } from "./micro/operation.ts";
import { operations } from "./micro/operations.ts";
import { spreadOf } from "./speed/figures.ts";

const usage = `npm run bench:micro

Reads and writes messages, and sends exchanges through the kernel with chains that differ in one thing. Everybody has a turn in each of
seven rounds. Prints for each, as min / median / max: processor time of the process in microseconds, and bytes of the heap that are allocated.
A quarter of a minute. Ends with 0; with 1 when something is wrong, with 2 when it was called wrongly.`;

const rounds = 7;
const turnMs = 150;
/** Compilers have then seen the code. */
const warmUpMs = 700;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  if (!takesNothing(args)) {
    console.error(usage);
    return 2;
  }
  const all = await operations();
  const samples = new Map<string, Sample[]>(all.map(({ name }) => [name, []]));
  for (const operation of all) await sample(operation, warmUpMs);
  for (let round = 0; round < rounds; round += 1) {
    for (const operation of all) samples.get(operation.name)?.push(await sample(operation, turnMs));
  }
  console.log(`| Node ${process.versions.node} | us | bytes |\n| --- | --- | --- |`);
  for (const [name, own] of samples) {
    const microseconds = own.map((one) => one.microseconds);
    const bytes = own.map((one) => one.bytes);
    console.log(`| ${name} | ${text(microseconds, 2)} | ${text(bytes, 0)} |`);
  }
  return 0;
}

function text(values: readonly number[], digits: number): string {
  const { min, median, max } = spreadOf(values) ?? { min: Number.NaN, median: Number.NaN, max: Number.NaN };
  return `${min.toFixed(digits)} / **${median.toFixed(digits)}** / ${max.toFixed(digits)}`;
}

function takesNothing(args: readonly string[]): boolean {
  try {
    parseArgs({ args: [...args], options: {} });
    return true;
  } catch {
    return false;
  }
}
