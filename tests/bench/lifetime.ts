// `npm run bench:lifetime`: a million exchanges, ten thousand of them at once, every answer looked at, and nothing may be left of them.
import process from "node:process";
import { parseArgs } from "node:util";
import { findingsTable } from "./finding.ts";
import { lifetimeFindings } from "./lifetime/findings.ts";
import { runLifetime } from "./lifetime/run-lifetime.ts";

const usage = `npm run bench:lifetime -- [--sequential 1000000] [--connections 16] [--concurrent 10000]

Starts a slow upstream, the engine with a chain of five policies, and Envoy with the configuration that \`policy-engine envoy\` prints.
Sends so many exchanges that are all open at once, then so many over connections with one exchange at a time on each, then as many at
once again, and looks at every answer. Ends with 0 when all was as it should be, with 1 when not, with 2 when it was called wrongly.`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const counts = readCounts(args);
  if (counts === undefined) {
    console.error(usage);
    return 2;
  }
  const started = performance.now();
  const say = (text: string): void => console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}`);
  say("starting an upstream, the engine and Envoy ...");
  const findings = lifetimeFindings(await runLifetime({ ...counts, progress: say }));
  console.log(findingsTable(findings));
  return findings.every(({ ok }) => ok) ? 0 : 1;
}

/** Undefined when somebody wants to know how this is called. */
function readCounts(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        sequential: { type: "string", default: "1000000" },
        connections: { type: "string", default: "16" },
        concurrent: { type: "string", default: "10000" },
      },
    });
    const counts = {
      sequential: Number(values.sequential),
      connections: Number(values.connections),
      concurrent: Number(values.concurrent),
    };
    return Object.values(counts).every((count) => Number.isSafeInteger(count) && count > 0) ? counts : undefined;
  } catch {
    return undefined;
  }
}
