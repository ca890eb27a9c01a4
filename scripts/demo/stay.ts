import type { LogLine } from "../processes/start-engine.ts";
import type { Stage } from "../processes/start-stage.ts";
import { curl } from "./curl.ts";
import type { DemoIssuer } from "./demo-issuer.ts";
import { demoKeys, demoRequests } from "./requests.ts";

/** Leaves everything running until `interrupted` settles, with hints and the verdict on every edit. Rejects when a process ends by itself. */
export async function stay(stage: Stage, issuer: DemoIssuer, interrupted: Promise<unknown>): Promise<void> {
  console.log(whatToTry(stage, issuer));
  stage.engine.onLog((line) => {
    const text = reloadText(line);
    if (text !== undefined) console.log(text);
  });
  const ended = [stage.envoy, stage.engine].map(async ({ process }) => {
    await process.exited;
    throw new Error(`the ${process.name} has ended by itself; it said\n${process.lastLines().slice(-20).join("\n")}`);
  });
  await Promise.race([interrupted, ...ended]);
  console.log("\nending everything ...");
}

function whatToTry({ envoy, engine, policiesFile }: Stage, issuer: DemoIssuer): string {
  const keys = Object.entries(demoKeys).map(([owner, key]) => `  ${owner}: ${key}`);
  return `
Everything stays until Ctrl-C.

The demo's keys (alice may read and write, bob may read, carol's has expired):
${keys.join("\n")}

Send requests of your own:
${demoRequests(issuer)
  .map((demo) => `  ${curl(envoy.port, demo)}   # ${demo.title}`)
  .join("\n")}

See what the steps did to one, and what was counted:
  curl -i -H 'x-request-id: mine-1' -H 'x-api-key: ${demoKeys.alice}' 'http://127.0.0.1:${envoy.port}/orders/1'
  curl 'http://127.0.0.1:${engine.adminPort}/decisions/mine-1'
  curl 'http://127.0.0.1:${engine.adminPort}/metrics'
  curl 'http://127.0.0.1:${engine.adminPort}/readyz'

Edit the policies (a copy): an edit takes effect at once, a broken one changes nothing and is explained here.
  ${policiesFile}
`;
}

/** What a line of the engine's log says about a reload; undefined when it is about something else. */
function reloadText(line: LogLine): string | undefined {
  if (Array.isArray(line.problems)) {
    const problems: readonly unknown[] = line.problems;
    return ["REFUSED, nothing has changed:", ...problems.map((problem) => problemText(Object(problem)))].join("\n");
  }
  if (line.provider === undefined) return undefined;
  if (line.generation !== undefined) return `reloaded: generation ${line.generation} is in use`;
  return `NOT RELOADED: ${line.msg}`;
}

function problemText({ code, severity, at, message, remedy }: LogLine): string {
  return `  ${at}: ${severity}[${code}] ${message}\n      ${remedy}`;
}
