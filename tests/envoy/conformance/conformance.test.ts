/** The conformance cases, against a real Envoy: what client, upstream and engine saw. */
import { beforeAll, describe, expect, test } from "vitest";
import { type HeaderLine, valuesOf } from "../../../scripts/processes/header-lines.ts";
import { type Expected, type Protocol, type Run, runsOn, settings } from "./case.ts";
import { sendRequest } from "./client.ts";
import { type ConformanceStage, startConformanceStage } from "./conformance-stage.ts";

for (const [name, setting] of Object.entries(settings())) {
  describe(name, () => {
    let stage: ConformanceStage;

    beforeAll(async () => {
      stage = await startConformanceStage(setting);
      return () => stage.close();
    });

    // `%s`: vitest shortens what it takes from an object.
    test.for(runsOn(name).map((one) => [one.title, one] as const))("%s", async ([, { run, protocol }]) => {
      expect(await seen(stage, run, protocol)).toEqual(expected(run.expect));
    });

    test("no answer was one too many", async () => {
      const stats = await stage.envoy.stats("ext_proc");
      expect(stats.get("http.ingress.ext_proc.spurious_msgs_received")).toBe(0);
      expect(stats.get("http.ingress.ext_proc.streams_started")).toBeGreaterThan(0);
    });
  });
}

async function seen({ upstream, engine, envoy }: ConformanceStage, run: Run, protocol: Protocol) {
  upstream.begin(run.upstream ?? {});
  const client = await sendRequest(envoy.port, run.client, protocol);
  const exchanges = await engine.exchanges();
  const [request] = upstream.seen();
  const reply = exchanges.flatMap(({ answers }) => answers).find((answer) => "reply" in answer);
  for (const { saw, answers } of exchanges) expect(answers.length).toBeLessThanOrEqual(saw.length);
  return {
    client: {
      status: client.status,
      headers: only(client.headers, run.expect.client.headers),
      ...("body" in run.expect.client ? { body: client.body.toString("utf8") } : {}),
      ...("trailers" in run.expect.client ? { trailers: only(client.trailers, run.expect.client.trailers) } : {}),
      ended: client.ended,
    },
    upstream: {
      hits: upstream.seen().length,
      ...("line" in run.expect.upstream ? { line: request?.line } : {}),
      headers: only(request?.headers ?? [], run.expect.upstream.headers),
      ...("raw" in run.expect.upstream ? { raw: request?.raw.toString("latin1") } : {}),
      ...("rawBytes" in run.expect.upstream ? { rawBytes: request?.raw.length } : {}),
    },
    engine: {
      saw: exchanges.flatMap(({ saw }) => saw),
      replied: reply?.code,
      ended: exchanges.map(({ ended }) => ended).join(),
    },
  };
}

/** The same, as far as a case says something. */
function expected({ client, upstream, engine }: Expected): object {
  const { headers = {}, ended = "whole", ...answer } = client;
  return {
    client: {
      ...answer,
      ...(answer.trailers === undefined ? {} : { trailers: lists(answer.trailers) }),
      headers: lists(headers),
      ended: client.status === "gone" ? "cut" : ended,
    },
    upstream: { ...upstream, headers: lists(upstream.headers ?? {}) },
    engine: { saw: engine.saw, replied: engine.replied, ended: engine.ended ?? (engine.saw.length === 0 ? "" : "ok") },
  };
}

type Values = Readonly<Record<string, string | readonly string[]>>;

const lists = (headers: Values): object => Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [values].flat()]));

const only = (lines: readonly HeaderLine[], names: Values = {}): object =>
  Object.fromEntries(Object.keys(names).map((name) => [name, valuesOf(lines, name)]));
