/**
 * The configuration path as a process that is killed in the middle of a swap. Run by `kill-points.test.ts`: `FOLDER STEP NUMBER`.
 *
 * It starts as after a crash, with its provider away, prints what two routes get, and then takes a configuration with this number and dies in
 * this step. Steps inside the engine are reached through what every engine is given: policies, and the system's file functions.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import process from "node:process";
import type { PolicyInstance } from "@envoy-policy-engine/sdk";
import type { ProviderSink } from "../../src/providers/provider.ts";
import { createdPolicies } from "../support/code-policy.ts";
import { configuredEngine } from "../support/configured-engine.ts";
import { type KillStep, killSteps } from "./kill-steps.ts";

const [folder = "", wanted = "", number = ""] = process.argv.slice(2);
const step = killSteps.find((one) => one === wanted);
if (step === undefined) throw new Error(`no such step: ${wanted}`);
let armed = false;

function reached(here: KillStep): void {
  if (armed && here === step) process.kill(process.pid, "SIGKILL");
}

wrapFileFunctions();
let sink: ProviderSink | undefined;
const provider = {
  name: "killed",
  start: async (given: ProviderSink) => {
    sink = given;
    given.failed(new Error("away"));
  },
  close: async () => {},
};
const stamps = Array.from({ length: 100 }, (_, index) => [`stamp-${index}`, () => stamp(index)] as const);
const engine = await configuredEngine({
  registrations: [{ provider, reads: "", precedence: 0, mayUseSecret: () => true }],
  state: folder,
  policies: createdPolicies(Object.fromEntries(stamps)),
});
await engine.configuration.start();
process.stdout.write(`${await engine.ask("one")} ${await engine.ask("two")}\n`);
armed = true;
const chains = ["one", "two"].map((name) => `${name}: { steps: [{ policy: stamp-${number}@1.0.0 }] }`);
await sink?.update([{ uri: "a.yaml", text: `version: 1\nchains: { ${chains.join(", ")} }\nroutes: { one: one, two: two }\n` }], number);
await engine.configuration.close();
process.stdout.write("not killed\n");

function stamp(index: number): PolicyInstance<unknown> {
  reached("create");
  return {
    request: ({ request }) => request.headers.set("x-stamp", String(index)),
    close: () => reached("retire the old generation"),
  };
}

function wrapFileFunctions(): void {
  const { open, mkdir, rename } = fs.promises;
  fs.promises.mkdir = ((...given: Parameters<typeof mkdir>) => {
    reached("commit");
    return mkdir(...given);
  }) as typeof mkdir;
  fs.promises.open = async (path, flags, mode) => {
    const file = await open(path, flags, mode);
    const { writeFile, sync } = file;
    if (flags === "wx") {
      reached("open the new file");
      file.writeFile = async (content, ...more) => {
        if (step === "write half of it") await writeFile.call(file, String(content).slice(0, 100));
        reached("write half of it");
        await writeFile.call(file, content, ...more);
        reached("write it");
      };
    }
    file.sync = async () => {
      await sync.call(file);
      reached(flags === "wx" ? "bring it to the disk" : "bring its name to the disk");
    };
    return file;
  };
  fs.promises.rename = async (from, to) => {
    await rename(from, to);
    reached("give it its name");
  };
  syncBuiltinESMExports();
}
