/** The conformance cases, against a real Envoy: what client, upstream and engine saw. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Protocol, type Run, runsOn, settings } from "./case.ts";
import { sendRequest } from "./client.ts";
import { type ConformanceStage, startConformanceStage } from "./conformance-stage.ts";
import { expectedOutcome, type Outcome, outcomeOf } from "./outcome.ts";

for (const [name, setting] of Object.entries(settings())) {
  describe(name, () => {
    let stage: ConformanceStage;

    beforeAll(async () => {
      stage = await startConformanceStage(setting);
      return () => stage.close();
    });

    // `%s`: vitest shortens what it takes from an object.
    test.for(runsOn(name).map((one) => [one.title, one] as const))("%s", async ([, { run, protocol }]) => {
      expect(outcomeOf(run, await outcome(stage, run, protocol))).toEqual(expectedOutcome(run));
    });

    test("no answer was one too many", async () => {
      const stats = await stage.envoy.stats("ext_proc");
      expect(stats.get("http.ingress.ext_proc.spurious_msgs_received")).toBe(0);
      expect(stats.get("http.ingress.ext_proc.streams_started")).toBeGreaterThan(0);
    });
  });
}

async function outcome({ upstream, engine, envoy }: ConformanceStage, run: Run, protocol: Protocol): Promise<Outcome> {
  upstream.begin(run.upstream ?? {});
  const client = await sendRequest(envoy.port, run.client, protocol);
  return { client, exchanges: await engine.exchanges(), requests: upstream.seen() };
}
