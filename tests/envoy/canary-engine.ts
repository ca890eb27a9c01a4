/** The command with one more policy, which tells what it knows in every way that a policy has. Run by `canary.test.ts`. */
import type { MetadataKey, PolicyDefinition } from "@envoy-policy-engine/sdk";
import { main } from "../../src/cli/main.ts";
import type { PolicyRelease } from "../../src/config/types.ts";
import { policies } from "../../src/generated/registry.ts";
import { createdPolicies } from "../support/code-policy.ts";

interface Parameters {
  readonly secret: string;
}

const note: MetadataKey<object> = { name: "note" };

const tells: PolicyDefinition<Parameters> = {
  create({ secret }, context) {
    return {
      request(exchange) {
        const { headers } = exchange.request;
        const credentials = ["authorization", "x-api-key", "cookie"].map((name) => headers.get(name) ?? "none").join(" ");
        const all = `${secret} ${credentials}`;
        switch (headers.get("x-do")) {
          case "throw":
            throw new Error(`refused: ${all}`, { cause: new Error(`because of ${all}`) });
          case "reject":
            return Promise.reject(new Error(`refused: ${all}`));
          case "reply":
            return { status: 403, code: "told", reason: all.slice(0, 500) };
          case "log":
            context.log.debug({ deep: { said: secret } }, "as a fact");
            context.log.error({ said: [secret] }, `in the message: ${secret}`);
            return;
          case "metadata":
            exchange.metadata.set(note, { said: all });
            return;
          case "call":
            // Nobody listens on this port.
            return context
              .fetch("away", `http://127.0.0.1:1/?api_key=${encodeURIComponent(secret)}`, {
                headers: { authorization: `Bearer ${secret}` },
              })
              .then(() => undefined);
          default:
            return;
        }
      },
    };
  },
};

const [made] = createdPolicies({ tells: () => ({}) }).values();
if (made === undefined) throw new Error("there is no policy");
const parameters = { type: "object", additionalProperties: false, properties: { secret: { description: "Anything.", type: "string" } } };
const release: PolicyRelease = { ...made, manifest: { ...made.manifest, parameters }, definition: tells };

process.exitCode = await main(process.argv.slice(2), new Map([...policies, ["tells@1.0.0", release]]));
