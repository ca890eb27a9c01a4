/** What the engine says about an exchange, in Envoy's access log: the demo's, as it is. */
import { beforeAll, describe, expect, test } from "vitest";
import { demoKeys } from "../../scripts/demo/requests.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { send } from "../../scripts/processes/send.ts";
import { startTestStage } from "../support/test-stage.ts";

interface Seen {
  readonly line: string;
  /** What the line says behind `policy=`. */
  readonly policy: unknown;
  /** The id that the client was told, with a reply; the one of the recording else. */
  readonly decisionId: string | undefined;
}

const requests = {
  "an approved request": { path: "/orders/approved", headers: { "x-api-key": demoKeys.alice } },
  "a denied one whose caller is known": { method: "POST", path: "/orders/denied", headers: { "x-api-key": demoKeys.bob }, body: "{}" },
  "a denied one whose caller is not": { path: "/orders/unknown" },
  "a route that no chain knows": { path: "/forgotten/route" },
};

const seen = new Map<string, Seen>();

beforeAll(async () => {
  const stage = await startTestStage();
  try {
    const ids = new Map<string, string | undefined>();
    for (const [name, { headers = {}, ...request }] of Object.entries<Parameters<typeof send>[1]>(requests)) {
      const id = name.replaceAll(" ", "-");
      const answer = await send(stage.envoy.port, { ...request, headers: { ...headers, "x-request-id": id } });
      const recording: unknown = JSON.parse((await send(stage.engine.adminPort, { path: `/decisions/${id}` })).body);
      ids.set(name, valuesOf(answer.headers, "x-decision-id")[0] ?? String(Object(recording).id));
    }
    // It writes its log when it ends.
    await stage.envoy.stop();
    for (const [name, { path }] of Object.entries(requests)) {
      const line = stage.envoy.process.lastLines().find((one) => one.includes(` ${path} `)) ?? "";
      const policy: unknown = JSON.parse(/ policy=(.*)$/.exec(line)?.[1] ?? "null");
      seen.set(name, { line, policy, decisionId: ids.get(name) });
    }
  } finally {
    await stage.close();
  }
});

describe("the line has the decision's id, and who the caller is where that is known", () => {
  test.for([
    ["an approved request", { auth: { subject: "alice" } }],
    ["a denied one whose caller is known", { auth: { subject: "bob" } }],
    ["a denied one whose caller is not", {}],
    ["a route that no chain knows", {}],
  ] as const)("%s", ([name, caller]) => {
    const { line, policy, decisionId } = seen.get(name) ?? {};
    expect(decisionId, line).toMatch(/^[\da-f-]{36}$/);
    expect(policy, line).toEqual({ decision_id: decisionId, ...caller });
  });
});
