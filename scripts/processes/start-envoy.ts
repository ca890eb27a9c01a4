import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Child, startChild } from "./child-process.ts";
import { type Data, writeData } from "./data.ts";
import { send } from "./send.ts";
import { waitFor } from "./wait-for.ts";

export interface Envoy {
  readonly process: Child;
  /** Where requests go. */
  readonly port: number;
  readonly adminPort: number;
  /** The counters and gauges whose name matches. */
  stats(pattern: string): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

export interface EnvoyPlan {
  /** A path, or a command on the PATH. */
  readonly binary: string;
  /** With `port` and `adminPort` as its addresses. */
  readonly bootstrap: Data;
  readonly port: number;
  readonly adminPort: number;
  /** For the bootstrap's file. */
  readonly folder: string;
  /** Worker threads. Default: 1. */
  readonly threads?: number;
}

const readyTimeoutMs = 20_000;
const stopGraceMs = 5_000;

/** Resolves when Envoy takes requests. Rejects, with what Envoy said and with Envoy gone, when it does not come to that within 20 s. */
export async function startEnvoy({ binary, bootstrap, port, adminPort, folder, threads = 1 }: EnvoyPlan): Promise<Envoy> {
  const file = join(folder, "envoy.yaml");
  await writeFile(file, writeData(bootstrap));
  const child = await startChild({
    name: "Envoy",
    command: binary,
    // Without hot restart several Envoys live on one machine and leave no shared memory behind.
    args: ["--config-path", file, "--disable-hot-restart", "--log-level", "warn", "--concurrency", String(threads)],
  });
  const stop = async (): Promise<void> => {
    await child.stop(stopGraceMs);
  };
  try {
    await waitFor({ what: "Envoy to be ready", timeoutMs: readyTimeoutMs, explain: () => said(child) }, async () => {
      if (!child.running()) throw new Error(`Envoy ended instead of serving: ${said(child)}`);
      const answer = await send(adminPort, { path: "/ready" }).catch(() => undefined);
      return answer?.status === 200 ? true : undefined;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { process: child, port, adminPort, stats: (pattern) => readStats(adminPort, pattern), stop };
}

function said(child: Child): string {
  const lines = child.lastLines();
  return lines.length === 0 ? "it said nothing" : `it said\n${lines.slice(-20).join("\n")}`;
}

async function readStats(adminPort: number, pattern: string): Promise<ReadonlyMap<string, number>> {
  const { body } = await send(adminPort, { path: `/stats?filter=${encodeURIComponent(pattern)}` });
  const lines = body
    .trim()
    .split("\n")
    .map((line) => line.split(": "));
  return new Map(
    lines.flatMap(([name, value]) =>
      name === undefined || value === undefined || Number.isNaN(Number(value)) ? [] : [[name, Number(value)]],
    ),
  );
}
