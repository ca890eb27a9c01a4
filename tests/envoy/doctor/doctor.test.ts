/** `policy-engine doctor` finds each of the misconfigurations in `cases.yaml` on a real Envoy that has it, and nothing on the printed one. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { send } from "../../../scripts/processes/send.ts";
import type { Envoy } from "../../../scripts/processes/start-envoy.ts";
import type { RoutingMutation } from "../../../src/config/types.ts";
import { type DoctorStage, examine, startDoctorStage, withMutations } from "./doctor-stage.ts";

interface Case {
  readonly name: string;
  readonly edits: Readonly<Record<string, string>>;
  readonly finds: readonly string[];
  /** Default: the engine that is running. */
  readonly engine?: "away";
  readonly traffic?: "none";
  /** Default `/open`. */
  readonly path?: string;
  /** A second path for as many requests. */
  readonly also?: string;
  readonly upgrade?: string;
  /** `FLAG=VALUE`, set through the admin port. */
  readonly runtime?: string;
  /** `all`: every request to `path` gets to the upstream, although the chain denies it. */
  readonly reaches?: "all";
  readonly mutates?: Readonly<Record<string, readonly RoutingMutation[]>>;
}

const cases: readonly Case[] = parse(readFileSync(new URL("cases.yaml", import.meta.url), "utf8"));
const requests = 10;

let stage: DoctorStage;
beforeAll(async () => {
  stage = await startDoctorStage();
  return () => stage.close();
});

describe("finds", () => {
  test.each(cases)("$name", async (one) => {
    const { edits, engine, mutates = {} } = one;
    const text = Object.entries(edits).reduce((left, [from, to]) => replaceOnce(left, from, to), stage.printed);
    await stage.withEnvoy({ text, engine }, async (envoy) => {
      if (one.runtime !== undefined) await send(envoy.adminPort, { method: "POST", path: `/runtime_modify?${one.runtime}` });
      const before = stage.upstream.requests.length;
      const demands = withMutations(stage.demands, mutates);
      const { findings } = await examine({ ...stage, demands }, envoy, () => traffic(envoy, one));
      expect(findings.map(({ code }) => code)).toEqual(one.finds);
      if (one.reaches === "all") {
        const reached = stage.upstream.requests.slice(before).filter(({ path }) => path === (one.path ?? "/open"));
        expect(reached).toHaveLength(requests);
      }
    });
  });
});

async function traffic(envoy: Envoy, { traffic: kind, path = "/open", also, upgrade }: Case): Promise<void> {
  if (kind === "none") return;
  const headers = upgrade === undefined ? {} : { connection: "upgrade", upgrade };
  for (let count = 0; count < requests; count++) {
    await send(envoy.port, { path, headers });
    if (also !== undefined) await send(envoy.port, { path: also });
  }
}

function replaceOnce(text: string, from: string, to: string): string {
  expect(text.split(from), `\`${from}\` stands once in the printed file`).toHaveLength(2);
  return text.replace(from, () => to);
}
