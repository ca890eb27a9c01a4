/** Workers that append to one decision log: every line is whole, and none is lost, also of those that are replaced. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../../scripts/cache.mjs";
import { replaceAt } from "../../scripts/processes/data.ts";
import { temporaryFolder } from "../../scripts/processes/temporary-folder.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { startTestStage } from "../support/test-stage.ts";
import { notAnswered, startTraffic } from "../support/traffic.ts";
import { workerOf } from "./worker-stage.ts";

const policies = `
version: 1
chains: { stamped: { steps: [{ policy: who@1 }] } }
routes: { orders: stamped }
`;

/** As much as a line may have: it is longer than what a system writes in one piece to a pipe, 4 KiB, and not as long as the next one. */
const listed = Array.from({ length: 16 }, (_, index) => `x-listed-${index}`);
const valueLength = (number: number): number => 250 + (number % 6);
const headersOf = (number: number): Readonly<Record<string, string>> =>
  Object.fromEntries(listed.map((name) => [name, String(number % 10).repeat(valueLength(number))]));

const exchangesMin = 2_000;

test("two workers' decisions of thousands of exchanges, while each worker is replaced by another one", { timeout: 120_000 }, async () => {
  const { path: folder, remove } = await temporaryFolder();
  onTestFinished(remove);
  const file = join(folder, "decisions.jsonl");
  const { engine, envoy, close } = await startTestStage({
    policies,
    workers: 2,
    program: join(root, "tests/lifecycle/worker-program.ts"),
    settings: (settings) =>
      Object.entries({
        decisionLog: { to: `file:${file}`, sample: 1, headers: listed },
        shutdown: { drainDelay: "3s", grace: "10s" },
      }).reduce((data, [key, value]) => replaceAt(data, [key], value), settings),
  });
  onTestFinished(close);

  let sent = 0;
  const next = () => {
    const number = sent++;
    return { path: "/orders", headers: { ...headersOf(number), "x-request-id": `request-${number}` } };
  };
  const traffic = startTraffic({ port: envoy.port, clients: 8, next });
  onTestFinished(() => void traffic.stop());
  const seen = (): ReadonlySet<string | undefined> => new Set(traffic.results.map(workerOf));
  await waitFor({ what: "answers of both", timeoutMs: 20_000 }, () => (seen().size === 2 ? true : undefined));
  engine.process.signal("SIGUSR2");
  await waitFor({ what: "both to be replaced, and answers of all", timeoutMs: 80_000 }, () =>
    seen().size === 4 && traffic.results.length > exchangesMin ? true : undefined,
  );
  const results = await traffic.stop();
  expect(notAnswered(results, 200)).toEqual([]);
  expect(await engine.stop()).toMatchObject({ code: 0 });

  const lines = (await readFile(file, "utf8")).split("\n");
  expect(lines.pop()).toBe("");
  const records: readonly WrittenRecord[] = lines.map((line) => JSON.parse(line));
  expect(records.map(({ requestId }) => requestId).toSorted()).toEqual(
    Array.from({ length: sent }, (_, number) => `request-${number}`).toSorted(),
  );
  const cut = records.filter(({ requestId, headers }) => {
    const whole = headersOf(Number(requestId.slice("request-".length)));
    return listed.some((name) => headers[name] !== whole[name]);
  });
  expect(cut).toEqual([]);
});

interface WrittenRecord {
  readonly requestId: string;
  readonly headers: Readonly<Record<string, string>>;
}
