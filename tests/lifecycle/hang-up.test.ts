/** SIGHUP, which `postrotate` of a copied logrotate configuration sends: nothing ends, and the decision log goes on in its new file. */
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import { send } from "../../scripts/processes/send.ts";
import { temporaryFolder } from "../../scripts/processes/temporary-folder.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { startTestStage } from "../support/test-stage.ts";

test("a decision log that is rotated with SIGHUP loses nothing, and the engine goes on", async () => {
  const { path: folder, remove } = await temporaryFolder();
  onTestFinished(remove);
  const [file, rotated] = [join(folder, "decisions.jsonl"), join(folder, "decisions.jsonl.1")];
  const stage = await startTestStage({ settings: (settings) => replaceAt(settings, ["decisionLog"], { to: `file:${file}` }) });
  onTestFinished(stage.close);
  const { engine, envoy } = stage;
  const deniedAs = async (id: string): Promise<void> => {
    const { status } = await send(envoy.port, { path: "/orders/1", headers: { "x-request-id": id } });
    expect(status).toBe(401);
  };
  const loggedIn = (path: string): readonly string[] =>
    existsSync(path) ? [...readFileSync(path, "utf8").matchAll(/"requestId":"([^"]*)"/g)].map(([, id = ""]) => id) : [];

  await deniedAs("before");
  await waitFor({ what: "the first decision", timeoutMs: 10_000 }, async () => loggedIn(file).length > 0 || undefined);
  renameSync(file, rotated);
  const heard = new Promise((resolve) => engine.onLog(({ msg }) => String(msg).startsWith("SIGHUP changes nothing") && resolve(msg)));
  engine.process.signal("SIGHUP");
  await Promise.race([heard, engine.process.exited]);

  let sent = 0;
  await waitFor({ what: "a decision in the new file", timeoutMs: 10_000 }, async () => {
    await deniedAs(`after-${sent++}`);
    return existsSync(file) || undefined;
  });
  const all = ["before", ...Array.from({ length: sent }, (_, index) => `after-${index}`)];
  await waitFor(
    { what: "every decision", timeoutMs: 10_000 },
    async () => loggedIn(rotated).length + loggedIn(file).length >= all.length || undefined,
  );
  expect([...loggedIn(rotated), ...loggedIn(file)]).toEqual(all);
  expect(engine.process.running()).toBe(true);
}, 60_000);
