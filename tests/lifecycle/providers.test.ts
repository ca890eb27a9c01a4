/** Remote providers with a real Envoy in front: a change, a mistake, the source gone, the engine killed, the source back. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { temporaryFolder } from "../../scripts/processes/temporary-folder.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { resourceOf } from "../../scripts/xds/resource-of.ts";
import { startXdsServer } from "../../scripts/xds/start-xds-server.ts";
import { configurationType } from "../../src/providers/xds-document.ts";
import { startConfigServer, yaml } from "../support/config-server.ts";
import { startTestStage } from "../support/test-stage.ts";

const stamping = (stamp: string): string => `version: 1
chains: { stamped: { steps: [{ policy: set-header@1, parameters: { request: [{ name: x-stamp, set: "${stamp}" }] } }] } }
routes: { orders: stamped }
`;
const broken = stamping("broken").replace("set-header@1", "set-headr@1");

/** Where configuration comes from, as the test needs it. */
interface Origin {
  readonly port: number;
  publish(text: string): void;
  stop(): Promise<void>;
}

async function webServer(text: string, port = 0): Promise<Origin> {
  const server = await startConfigServer(yaml(text), port);
  return { port: server.port, publish: (next) => server.answer(yaml(next)), stop: server.stop };
}

/** It counts from 1 whenever it starts. */
async function controlPlane(text: string, port = 0): Promise<Origin> {
  const server = await startXdsServer({ port });
  let version = 0;
  const publish = (next: string): void => {
    version += 1;
    const resources = [{ typeUrl: configurationType, value: resourceOf("all", next) }];
    server.publish({ version: String(version), typeUrl: configurationType, resources });
  };
  publish(text);
  return { port: server.port, publish, stop: server.stop };
}

test.each([
  ["http", webServer, (port: number) => ({ urls: [`http://127.0.0.1:${port}/policies.yaml`], interval: "100ms" })],
  ["xds", controlPlane, (port: number) => ({ address: `tcp:127.0.0.1:${port}` })],
] as const)("%s", async (kind, start, settingsOf) => {
  const folder = await temporaryFolder();
  let origin = await start(stamping("1"));
  const stage = await startTestStage({
    settings: (settings) =>
      replaceAt(replaceAt(settings, ["providers"], [{ [kind]: settingsOf(origin.port) }]), ["state"], join(folder.path, "state")),
  });
  try {
    expect(await stampOf(stage)).toBe("1");
    origin.publish(stamping("2"));
    await seen(stage, "2");
    origin.publish(broken);
    await waitFor({ what: "the mistake to be refused", timeoutMs: 10_000 }, () =>
      stage.engine.log.some(({ problems }) => problems !== undefined) ? true : undefined,
    );
    expect(await stampOf(stage)).toBe("2");

    await origin.stop();
    stage.engine.process.signal("SIGKILL");
    await stage.engine.process.exited;
    const engine = await stage.startAgain(stage.engine);
    await seen(stage, "2");
    const { body } = await send(engine.adminPort, { path: "/readyz" });
    expect(JSON.parse(body)).toMatchObject({
      ready: true,
      generation: { number: 3, reason: "disk" },
      startedFrom: { generation: 2, savedAt: expect.any(String) },
      providers: [{ name: kind, from: "disk", failure: expect.any(String) }],
    });

    origin = await start(stamping("3"), origin.port);
    await seen(stage, "3");
  } finally {
    await stage.close();
    await origin.stop();
    await folder.remove();
  }
});

/** What the upstream saw of a request. */
async function stampOf({ envoy }: Stage): Promise<string | undefined> {
  const { status, body } = await send(envoy.port, { path: "/orders" });
  if (status !== 200) return `status ${status}`;
  const upstream: { readonly headers: readonly (readonly [string, string])[] } = JSON.parse(body);
  return valuesOf(upstream.headers, "x-stamp")[0];
}

function seen(stage: Stage, stamp: string): Promise<true> {
  return waitFor({ what: `the upstream to see the stamp ${stamp}`, timeoutMs: 15_000 }, async () =>
    (await stampOf(stage)) === stamp ? true : undefined,
  );
}
