// `npm run bench`: what the engine costs behind a real Envoy, beside others that answer the same requests.
import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { readBaseline, regressions } from "./speed/baseline.ts";
import { loadAverage, machineNow } from "./speed/machine.ts";
import { fullPlan, shortPlan } from "./speed/plan.ts";
import { runSpeed } from "./speed/run-speed.ts";
import { markdownOf, tableOf } from "./speed/table.ts";

const usage = `npm run bench -- [--short] [--rounds N] [--envoy-threads N] [--json FILE]

Starts one Envoy with a listener for each contender: nobody, Envoy's own header filter, ext_proc servers in Go, Rust and on grpc-js that set two
headers, and the engine as it is shipped with chains of 0, 1, 5 and 10 policies. Looks at every answer. Everybody is measured between two phases
of a reference, so that ratios stay true when the machine drifts. Prints a table in markdown, and writes the figures to a file with --json.

--short   a minute and a half: the engine beside the server on grpc-js, compared with tests/bench/baseline.json
--rounds  how often everybody has a turn; 3
--envoy-threads  how many Envoy works with; 1. With more, high rates show who is asked rather than queues before Envoy

Ends with 0 when all was as it should be; with 1 on a wrong answer, or with --short when a ratio is more than twice the committed one in
every round; with 2 when it was called wrongly.`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    console.error(usage);
    return 2;
  }
  const started = performance.now();
  const say = (text: string): void => console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}`);
  const loadBefore = loadAverage();
  // Every process that is started is ended with this one, and there are many.
  process.setMaxListeners(0);
  const plan = options.short ? shortPlan : fullPlan;
  const report = await runSpeed(
    { ...plan, rounds: options.rounds ?? plan.rounds, envoyThreads: options.envoyThreads ?? plan.envoyThreads },
    say,
  );
  const compilers = (["go", "rust"] as const).filter((name) => report.noOps.includes(name));
  const table = tableOf(report, machineNow(loadBefore, compilers));
  console.log(markdownOf(table));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(table, null, 2)}\n`);
  const findings = [
    ...(table.wrong === 0 ? [] : [`${table.wrong} wrong answers: ${table.faults[0]}`]),
    ...(options.short ? regressions(table.rows, readBaseline()) : []),
  ];
  for (const finding of findings) console.error(`bench: ${finding}`);
  return findings.length === 0 ? 0 : 1;
}

interface Options {
  readonly short: boolean;
  readonly rounds: number | undefined;
  readonly envoyThreads: number | undefined;
  readonly json: string | undefined;
}

/** Undefined when somebody wants to know how this is called. */
function readOptions(args: readonly string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        short: { type: "boolean", default: false },
        rounds: { type: "string" },
        "envoy-threads": { type: "string" },
        json: { type: "string" },
      },
    });
    const count = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
    const [rounds, envoyThreads] = [count(values.rounds), count(values["envoy-threads"])];
    if (![rounds ?? 1, envoyThreads ?? 1].every((number) => Number.isSafeInteger(number) && number > 0)) return undefined;
    return { short: values.short, rounds, envoyThreads, json: values.json };
  } catch {
    return undefined;
  }
}
