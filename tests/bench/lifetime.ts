// `npm run bench:lifetime`: a million exchanges, ten thousand of them at once, every answer looked at, and nothing may be left of them.
import process from "node:process";
import { parseArgs } from "node:util";
import { transportKinds } from "../support/transports.ts";
import { findingsTable } from "./finding.ts";
import { lifetimeFindings } from "./lifetime/findings.ts";
import { type LifetimePlan, runLifetime } from "./lifetime/run-lifetime.ts";

const usage = `npm run bench:lifetime -- [--transport grpc-js|native] [--graceful-close]
                          [--sequential 1000000] [--connections 16] [--concurrent 10000]

Starts a slow upstream, the engine with a chain of five policies, and Envoy with the configuration that \`policy-engine envoy\` prints, but
that it asks the engine over one connection, and with its ext_proc_graceful_grpc_close where that is said. Sends so many exchanges that are
all open at once, then so many over connections with one exchange at a time on each, then as many at once again, and looks at every answer.
Ends with 0 when all was as it should be, with 1 when not, with 2 when it was called wrongly.`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const plan = readPlan(args);
  if (plan === undefined) {
    console.error(usage);
    return 2;
  }
  const started = performance.now();
  const say = (text: string): void => console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}`);
  say("starting an upstream, the engine and Envoy ...");
  const findings = lifetimeFindings(await runLifetime({ ...plan, progress: say }));
  console.log(findingsTable(findings));
  return findings.every(({ ok }) => ok) ? 0 : 1;
}

/** Undefined when somebody wants to know how this is called. */
function readPlan(args: readonly string[]): Omit<LifetimePlan, "progress"> | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        transport: { type: "string", default: "grpc-js" },
        "graceful-close": { type: "boolean", default: false },
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
    const transport = transportKinds.find((kind) => kind === values.transport);
    if (transport === undefined || !Object.values(counts).every((count) => Number.isSafeInteger(count) && count > 0)) return undefined;
    return { ...counts, transport, gracefulClose: values["graceful-close"] ? "on" : "off" };
  } catch {
    return undefined;
  }
}
