// `npm run bench:streams`: bodies both ways through a transform that changes their length, faster offered than anybody takes them.
import process from "node:process";
import { parseArgs } from "node:util";
import { findingsTable } from "./finding.ts";
import { streamsFindings } from "./streams/findings.ts";
import { fullWarmUpExchanges, runStreams, streamsFull } from "./streams/run-streams.ts";

const usage = `npm run bench:streams

Starts an upstream, the engine with \`mask\` in a chain, and Envoy with the configuration that \`policy-engine envoy\` prints.
Sends 2,000 small exchanges, then one of 100 MiB each way at once whose readers take 5 MiB a second, that once more, and 200 at once of 2 MiB
each way whose readers take 256 KiB a second. Looks at every byte that arrives, at the engine's resident memory, and the second time at what the
engine holds after a collection, every two seconds. Ends with 0 when all was as it should be, with 1 when not, with 2 when it was called
wrongly.`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  if (!takesNothing(args)) {
    console.error(usage);
    return 2;
  }
  const started = performance.now();
  const say = (text: string): void => console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}`);
  say("starting an upstream, the engine and Envoy ...");
  const findings = streamsFindings(
    await runStreams({ transport: "grpc-js", warmUpExchanges: fullWarmUpExchanges, parts: streamsFull, progress: say }),
  );
  console.log(findingsTable(findings));
  return findings.every(({ ok }) => ok) ? 0 : 1;
}

function takesNothing(args: readonly string[]): boolean {
  try {
    parseArgs({ args: [...args], options: {} });
    return true;
  } catch {
    return false;
  }
}
