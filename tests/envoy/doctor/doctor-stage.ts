import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findEnvoy } from "../../../scripts/envoy.mjs";
import { type Data, readData } from "../../../scripts/processes/data.ts";
import { demoConfig } from "../../../scripts/processes/demo-configs.ts";
import { type EngineAddress, moveEnvoy } from "../../../scripts/processes/envoy-bootstrap.ts";
import { holdPort } from "../../../scripts/processes/free-port.ts";
import { send } from "../../../scripts/processes/send.ts";
import { type Envoy, startEnvoy } from "../../../scripts/processes/start-envoy.ts";
import type { Stage } from "../../../scripts/processes/start-stage.ts";
import type { RoutingMutation } from "../../../src/config/types.ts";
import { type Diagnosis, diagnose, type Patient } from "../../../src/doctor/diagnose.ts";
import { outgoingFetch } from "../../../src/engine/outgoing-fetch.ts";
import type { EnvoyDemands } from "../../../src/envoy-config/demands.ts";
import { printEnvoy } from "../../../src/envoy-config/print.ts";
import { policies } from "../../../src/generated/registry.ts";
import { demandsOf } from "../../config/envoy/support.ts";
import { startTestStage } from "../../support/test-stage.ts";

/** One engine and one upstream, and an Envoy with a configuration of its own for each case. */
export interface DoctorStage {
  /** For files of a test's own. */
  readonly folder: string;
  readonly upstream: Stage["upstream"];
  readonly engine: Stage["engine"];
  readonly demands: EnvoyDemands;
  readonly printed: string;
  /** Starts an Envoy, hands it to `use`, and ends it. `engine: "away"`: where it looks for the engine nobody is. */
  withEnvoy<Result>(plan: EnvoyPlan, use: (envoy: Envoy) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export interface EnvoyPlan {
  readonly text: string;
  readonly engine?: "away" | undefined;
  readonly change?: ((bootstrap: Data) => Data) | undefined;
}

export async function startDoctorStage(): Promise<DoctorStage> {
  const configuration = await readFile(fileURLToPath(new URL("configuration.yaml", import.meta.url)), "utf8");
  const demands = await demandsOf(await demoConfig("settings.yaml"), configuration, policies);
  const printed = printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 8080 } });
  const stage = await startTestStage({ envoy: printed, policies: configuration });
  const { upstream, engine, folder } = stage;
  return {
    folder,
    upstream,
    engine,
    demands,
    printed,
    close: stage.close,
    async withEnvoy({ text, engine: where, change = (data) => data }, use) {
      const held = [await holdPort(), await holdPort()] as const;
      const [{ port }, { port: adminPort }] = held;
      await Promise.all(held.map(({ release }) => release()));
      const engines: readonly EngineAddress[] = [{ socket: join(folder, where === "away" ? "nobody.sock" : "engine.sock") }];
      const loopback = (one: number) => ({ host: "127.0.0.1", port: one });
      const moved = moveEnvoy(readData(text), {
        listener: loopback(port),
        admin: loopback(adminPort),
        upstream: loopback(upstream.port),
        engines,
      });
      const envoy = await startEnvoy({ binary: findEnvoy() ?? "envoy", bootstrap: change(moved), port, adminPort, folder });
      try {
        return await use(envoy);
      } finally {
        await envoy.stop();
      }
    },
  };
}

/** The demands with chains that change more than the shipped policies do. */
export function withMutations(demands: EnvoyDemands, mutates: Readonly<Record<string, readonly RoutingMutation[]>>): EnvoyDemands {
  const chains = [...demands.chains].map(([name, chain]) => [name, { ...chain, mutates: new Set(mutates[name] ?? []) }] as const);
  return { ...demands, chains: new Map(chains) };
}

/** What the doctor says of an Envoy while `traffic` comes: as long as that takes, it watches. */
export async function examine(
  { engine, demands }: Pick<DoctorStage, "engine" | "demands">,
  envoy: Envoy,
  traffic: () => Promise<unknown>,
  more: Partial<Patient> = {},
): Promise<Diagnosis> {
  const engineAdmin = new URL(`http://127.0.0.1:${engine.adminPort}/`);
  const patient = { envoyAdmin: new URL(`http://127.0.0.1:${envoy.adminPort}/`), engineAdmins: [engineAdmin], demands, probes: [] };
  const { generation } = JSON.parse((await send(engine.adminPort, { path: "/config" })).body);
  return diagnose(
    { ...patient, hash: String(generation.hash), ...more },
    { fetch: outgoingFetch, waitMs: 1000, wait: async () => void (await traffic()) },
  );
}
