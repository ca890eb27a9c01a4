// `npm run demo`: a real Envoy asks the engine about real requests, and what came of each is compared with what should have.
import process from "node:process";
import { parseArgs } from "node:util";
import { createDemoIssuer } from "./demo/demo-issuer.ts";
import { runDemo } from "./demo/run-demo.ts";
import { placeOf } from "./demo/run-request.ts";
import { stay } from "./demo/stay.ts";
import { table } from "./demo/table.ts";
import { startStage } from "./processes/start-stage.ts";

const usage = `npm run demo              starts an upstream, the engine and Envoy, sends some requests, shows what came of them, and ends
npm run demo -- --stay    leaves everything running, to try requests of your own and to edit the policies`;

/** What a shell says of a program that Ctrl-C has ended. */
const interruptedCode = 130;

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
});

/** Ends with 0 when every request came out as it should, with 1 when not, with 2 when it was called wrongly. */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined || options.help) {
    console.log(usage);
    return options === undefined ? 2 : 0;
  }
  const interrupted = interruption();
  console.log("starting an upstream, the engine and Envoy ...");
  const issuer = createDemoIssuer();
  const stage = await startStage({ carrier: "tcp", policies: await issuer.policies() });
  try {
    const results = await Promise.race([runDemo(placeOf(stage), issuer), interrupted]);
    if (results === "interrupted") return interruptedCode;
    console.log(`\n${table(results)}\n`);
    const wrong = results.filter(({ faults }) => faults.length > 0).length;
    console.log(
      wrong === 0 ? `all ${results.length} requests came out as they should` : `${wrong} of ${results.length} requests came out wrong`,
    );
    if (options.stay) await stay(stage, issuer, interrupted);
    return wrong === 0 ? 0 : 1;
  } finally {
    await stage.close();
  }
}

function readOptions(args: readonly string[]): { readonly stay: boolean; readonly help: boolean } | undefined {
  try {
    const { values } = parseArgs({ args: [...args], options: { stay: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
    return { stay: values.stay === true, help: values.help === true };
  } catch {
    return undefined;
  }
}

/** Resolves at the first Ctrl-C or SIGTERM; the second ends this process, and with it the others, at once. */
function interruption(): Promise<"interrupted"> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (): void => {
      if (asked) process.exit(interruptedCode);
      asked = true;
      resolve("interrupted");
    };
    process.on("SIGINT", ask);
    process.on("SIGTERM", ask);
  });
}
