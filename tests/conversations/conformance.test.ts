/** The runs of the conformance cases as conversations in process: the simulated Envoy comes to what the real one comes to. */
import { beforeAll, describe, expect, test } from "vitest";
import { type EnvoyBodyMode, routeMode } from "../../src/envoy-config/processing-mode.ts";
import { ProcessingMode_BodySendMode as BodyMode } from "../../src/generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import type { BodyModes } from "../../src/testing/simulated-envoy.ts";
import { conformanceChains, promised, type Run, runsOn, type Setting } from "../envoy/conformance/case.ts";
import { conformanceDemands } from "../envoy/conformance/demands.ts";
import { outcomeInProcess } from "../envoy/conformance/in-process.ts";
import { expectedOutcome, outcomeOf } from "../envoy/conformance/outcome.ts";
import { engineUnderTest } from "./engine-under-test.ts";

const chains = conformanceChains();

describe.each<NonNullable<Setting["modes"]>>(["asked", "printed"])("%s", (modes) => {
  let configured: ReadonlyMap<string, BodyModes>;

  beforeAll(async () => {
    configured = await configuredModes(modes);
  });

  test.for(runsInProcess(modes))("%s", async ([, run]) => {
    const engine = await engineUnderTest(chains.config, promised, { policies: chains.policies });
    expect(outcomeOf(run, await outcomeInProcess(engine, run, configured))).toEqual(expectedOutcome(run));
    expect(engine.counters.read().open).toBe(0);
    expect(engine.openGenerations()).toBe(0);
  });
});

/** Once, whatever the protocol: it makes no difference to the engine. */
function runsInProcess(setting: string): readonly (readonly [title: string, run: Run])[] {
  const titled = runsOn(setting).map(({ title, run }) => [title.replace(/ \(http[12]\)$/, ""), run] as const);
  return [...new Map(titled)].filter(([, { envoyOnly }]) => envoyOnly === undefined);
}

async function configuredModes(modes: Setting["modes"]): Promise<ReadonlyMap<string, BodyModes>> {
  const demands = await conformanceDemands({}, chains);
  const none: BodyModes = { request: BodyMode.NONE, response: BodyMode.NONE };
  const routes = Array.from(demands.routes, ([route, chain]): readonly [string, BodyModes] => {
    const needs = demands.chains.get(chain ?? "")?.needs;
    const mode = modes === "printed" && needs ? routeMode(needs, demands.settings.envoy) : undefined;
    return [route, mode ? { request: bodyMode(mode.request_body_mode), response: bodyMode(mode.response_body_mode) } : none];
  });
  return new Map(routes);
}

function bodyMode(mode: EnvoyBodyMode): BodyMode {
  return BodyMode[mode];
}
