/** The engine as a process of its own, with policies that throw where nobody catches. Run by `survives.test.ts` with a settings file. */
import { EventEmitter } from "node:events";
import type { PolicyInstance, RequestExchange } from "@envoy-policy-engine/sdk";
import { main } from "../../src/cli/main.ts";
import { createdPolicies } from "../support/code-policy.ts";

const unreadable: unknown = Object.create(null);

function throwIt(what: unknown): never {
  throw what;
}

const request = (handler: (exchange: RequestExchange<unknown>) => void | Promise<void>) => (): PolicyInstance<unknown> => ({
  request: handler,
});
const never = new Promise<void>(() => {});

const policies = createdPolicies({
  fine: request(() => {}),
  "in-an-abort-listener": request(({ signal }) => {
    signal.addEventListener("abort", () => throwIt(new Error("in a listener")));
    return never;
  }),
  "in-an-async-abort-listener": request(({ signal }) => {
    signal.addEventListener("abort", async () => throwIt(unreadable));
    return never;
  }),
  "in-a-timer": request(() => void setTimeout(() => throwIt(new Error("in a timer")), 1)),
  "nothing-readable-in-a-timer": request(() => void setTimeout(() => throwIt(unreadable), 1)),
  "in-a-promise": request(() => void Promise.reject(new Error("in a promise"))),
  "nothing-readable-in-a-promise": request(() => void Promise.reject(unreadable)),
  "in-an-emitter": request(() => void setImmediate(() => new EventEmitter().emit("error", new Error("in an emitter")))),
  "nothing-readable": request(() => throwIt(unreadable)),
  "in-the-background": (_, context) => {
    context.every(10, () => throwIt(unreadable));
    void Promise.reject(new Error("while it starts"));
    return { request: () => undefined };
  },
  "in-the-log": (_, { log }) => ({
    request() {
      const round: Record<string, unknown> = { big: 1n, symbol: Symbol("s"), run: () => {} };
      round.self = round;
      log.error(round, "odd facts");
    },
  }),
});

process.exitCode = await main(process.argv.slice(2), policies);
