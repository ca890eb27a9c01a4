// `npm run bench:chaos`: the configuration is replaced a hundred times a second, one time in three by something broken, under traffic.
import process from "node:process";
import { chaosFindings } from "./chaos/findings.ts";
import { runChaos } from "./chaos/run-chaos.ts";
import { findingsTable } from "./finding.ts";

const plan = { rounds: 6, roundMs: 10_000, perSecond: 100 };
const bounds = { configurationsMin: 300, liveMsMax: 1_000, growthMax: 0.05 };

const say = (text: string): void => console.error(text);
say("starting an upstream, a control plane, the engine and Envoy ...");
const findings = chaosFindings(await runChaos({ ...plan, progress: say }), bounds);
console.log(findingsTable(findings));
process.exitCode = findings.every(({ ok }) => ok) ? 0 : 1;
