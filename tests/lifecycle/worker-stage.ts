/** Two workers behind an Envoy, with answers that say which configuration and which process they are of. */
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { root } from "../../scripts/cache.mjs";
import { replaceAt } from "../../scripts/processes/data.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { readiness, readMetrics } from "../support/admin.ts";
import { byRename } from "../support/replace-file.ts";
import { startTestStage } from "../support/test-stage.ts";
import { startTraffic, type Traffic, type TrafficResult } from "../support/traffic.ts";

export interface WorkerStage extends Stage {
  /** Puts the configuration of this number in place of the last one, with this step behind the others. */
  deliver(number: number, step?: string): Promise<void>;
  workers(): Promise<readonly ShownWorker[]>;
  /** Whether both workers serve by the configuration of this number. */
  served(number: number): Promise<"both" | undefined>;
  /** Resolves when both workers are up and Envoy has noticed. */
  bothUp(): Promise<true>;
  /** Traffic until the test ends. */
  traffic(headers?: Readonly<Record<string, string>>): Traffic;
}

export interface ShownWorker {
  readonly state: string;
  readonly pid?: number;
  readonly generation?: number;
}

/** How many send at once. */
export const clients = 8;

/** It serves by the configuration 1. Rejects when something does not start. */
export async function startWorkerStage(): Promise<WorkerStage> {
  const stage = await startTestStage({
    policies: configuration(1),
    workers: 2,
    program: join(root, "tests/lifecycle/worker-program.ts"),
    settings: (settings) => replaceAt(settings, ["shutdown"], { drainDelay: "3s", grace: "10s" }),
  });
  const { engine, envoy } = stage;

  async function workers(): Promise<readonly ShownWorker[]> {
    const { body } = await send(engine.adminPort, { path: "/readyz" });
    const page: { readonly workers: readonly ShownWorker[] } = JSON.parse(body);
    return page.workers;
  }

  return {
    ...stage,
    workers,
    deliver: (number, step) => byRename(stage.policiesFile, configuration(number, step)),
    async served(number) {
      const { body } = await send(engine.adminPort, { path: "/config" });
      if (!body.includes(`"${number}"`)) return undefined;
      const metrics = await readMetrics(engine);
      const generations = (await workers()).map((one) => (one.state === "up" ? one.generation : undefined));
      return generations.every((one) => one === metrics("policy_engine_generation")) ? "both" : undefined;
    },
    bothUp: () =>
      waitFor({ what: "both workers to be up", timeoutMs: 40_000 }, async () => {
        const all = await workers();
        if (!all.every(({ state }) => state === "up") || (await readiness(engine)) !== 200) return undefined;
        const stats = await envoy.stats("^cluster.policy_engine.membership_healthy$");
        return stats.get("cluster.policy_engine.membership_healthy") === 2 ? true : undefined;
      }),
    traffic(headers = {}) {
      const traffic = startTraffic({ port: envoy.port, clients, next: () => ({ path: "/orders", headers }) });
      onTestFinished(() => void traffic.stop());
      return traffic;
    },
  };
}

/** Every answer carries its number twice, and the process that has answered. */
function configuration(number: number, step = ""): string {
  return `version: 1
chains:
  stamped:
    steps:
      - policy: set-header@1
        parameters: { request: [{ name: x-stamp, set: "${number}" }], response: [{ name: x-stamp, set: "${number}" }] }
      - policy: who@1
      - { policy: burn@1, when: '"x-burn-ms" in request.headers' }
      ${step}
routes: { orders: stamped }
`;
}

export function stampOf(result: TrafficResult): string | undefined {
  return result.kind === "answered" ? valuesOf(result.response.headers, "x-stamp")[0] : undefined;
}

export function workerOf(result: TrafficResult): string | undefined {
  return result.kind === "answered" ? valuesOf(result.response.headers, "x-worker")[0] : undefined;
}

/** Answers whose request was stamped by another configuration than the response. */
export function mixed(results: readonly TrafficResult[]): readonly TrafficResult[] {
  return results.filter((result) => {
    if (result.kind === "broken" || result.response.status !== 200) return false;
    const upstream: { readonly headers: readonly (readonly [string, string])[] } = JSON.parse(result.response.body);
    return valuesOf(upstream.headers, "x-stamp")[0] !== stampOf(result);
  });
}
