import { send } from "../../scripts/processes/send.ts";
import type { Engine } from "../../scripts/processes/start-engine.ts";

/** What the engine counts, by `name{labels}` as it stands in the text; 0 for what has not been counted. */
export async function readMetrics({ adminPort }: Engine): Promise<(sample: string) => number> {
  const { body } = await send(adminPort, { path: "/metrics" });
  const lines = body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const samples = new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]));
  return (sample) => samples.get(sample) ?? 0;
}

/** The status of `/readyz`; undefined when the port does not answer. */
export async function readiness({ adminPort }: Engine): Promise<number | undefined> {
  const answer = await send(adminPort, { path: "/readyz" }).catch(() => undefined);
  return answer?.status;
}
