import { beforeAll, expect, test } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import { envoyPlaces } from "../../scripts/processes/envoy-bootstrap.ts";
import { send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { startTestStage } from "../support/test-stage.ts";

const messageTimeoutMs = 500;

let stage: Stage;

beforeAll(async () => {
  stage = await startTestStage({
    settings: (settings) => replaceAt(settings, ["envoy", "messageTimeout"], `${messageTimeoutMs}ms`),
    bootstrap: (bootstrap) =>
      // Without health checks, which would take a frozen engine out after some seconds and so hide the timeout.
      replaceAt(
        replaceAt(bootstrap, envoyPlaces.healthChecks, []),
        [...envoyPlaces.extProc, "message_timeout"],
        `${messageTimeoutMs / 1000}s`,
      ),
  });
  return () => stage.close();
});

test("a frozen engine: 504 after Envoy's message timeout, nothing reaches the upstream, and it goes on when it thaws", async () => {
  const request = { path: "/v1/catalogue" };
  expect((await send(stage.envoy.port, request)).status).toBe(200);
  const before = stage.upstream.requests.length;

  stage.engine.process.signal("SIGSTOP");
  const started = performance.now();
  const answers = await Promise.all(Array.from({ length: 20 }, () => send(stage.envoy.port, request)));
  const tookMs = performance.now() - started;
  stage.engine.process.signal("SIGCONT");

  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(504));
  expect(tookMs).toBeGreaterThanOrEqual(messageTimeoutMs - 10);
  expect(tookMs).toBeLessThan(messageTimeoutMs + 2_000);
  await waitFor({ what: "requests to work again", timeoutMs: 10_000 }, async () =>
    (await send(stage.envoy.port, request)).status === 200 ? true : undefined,
  );
  expect(stage.upstream.requests.slice(before)).toHaveLength(1);
});
