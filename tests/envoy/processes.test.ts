/** What the harness says when something does not start: the messages of `npm run demo`. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import { envoyPlaces } from "../../scripts/processes/envoy-bootstrap.ts";
import { portOf } from "../../scripts/processes/free-port.ts";
import { startTestStage } from "../support/test-stage.ts";

test("an Envoy that refuses its configuration is quoted", async () => {
  const stage = startTestStage({ bootstrap: (bootstrap) => replaceAt(bootstrap, [...envoyPlaces.extProc, "no_such_field"], true) });
  await expect(stage).rejects.toThrow(/Envoy ended instead of serving: it said.*no_such_field/s);
});

test("a port that is taken is named", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const taken = `tcp:127.0.0.1:${portOf(server)}`;
  const stage = startTestStage({ settings: (settings) => replaceAt(settings, ["listen"], [taken]) });
  await expect(stage).rejects.toThrow(
    new RegExp(`the engine ended instead of serving: it said.*cannot listen on .*${portOf(server)}`, "s"),
  );
});

test("policies that are refused are explained, at once", async () => {
  const started = performance.now();
  await expect(startTestStage({ policies: "version: 1\nchains: []\n" })).rejects.toThrow(
    /the engine refuses its configuration.*policies\.yaml:2:9/s,
  );
  expect(performance.now() - started).toBeLessThan(5_000);
});

test("nothing is left behind when something does not start", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pe-"));
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  onTestFinished(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(folder, { recursive: true });
  });
  await expect(startTestStage({ policies: "version: 2\n" })).rejects.toThrow();
  expect(readdirSync(folder)).toEqual([]);
});
