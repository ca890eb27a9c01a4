/** The engine as a process of its own, with policies whose `create` does not come to anything. Run by `run-chaos.ts` with a settings file. */
import { setTimeout as sleep } from "node:timers/promises";
import { main } from "../../../src/cli/main.ts";
import { policies } from "../../../src/generated/registry.ts";
import { createdPolicies } from "../../support/code-policy.ts";

const broken = createdPolicies({
  "create-throws": () => {
    throw new Error("it cannot be created");
  },
  "create-rejects": async () => {
    await sleep(20);
    throw new Error("it cannot be created after all");
  },
  "create-returns-nothing": () => ({}),
});

process.exitCode = await main(process.argv.slice(2), new Map([...policies, ...broken]));
