import { expect, test } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import { envoyPlaces } from "../../scripts/processes/envoy-bootstrap.ts";
import { send } from "../../scripts/processes/send.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { readiness } from "../support/admin.ts";
import { byRename } from "../support/replace-file.ts";
import { startTestStage } from "../support/test-stage.ts";

const good = `
version: 1
chains:
  stamped: { steps: [{ policy: set-header@1, parameters: { request: [{ name: x-stamp, set: seen }] } }] }
routes: { catalogue-v1: stamped, health: [] }
`;
const bad = good.replace("set-header@1", "set-header@9");

test.each([
  ["Envoy does not ask it", "checked"],
  ["without health checks it answers itself", "unchecked"],
] as const)(
  "an engine without a valid configuration is not ready and everything is denied until the file is mended: %s",
  async (_who, health) => {
    const stage = await startTestStage({
      policies: bad,
      until: "listening",
      ...(health === "checked" ? {} : { bootstrap: (bootstrap) => replaceAt(bootstrap, envoyPlaces.healthChecks, []) }),
    });
    try {
      const { engine } = stage;
      expect(await readiness(engine)).toBe(503);
      for (const path of ["/v1/catalogue", "/health", "/nowhere"]) {
        const { status, body } = await send(stage.envoy.port, { path });
        expect([path, status]).toEqual([path, 503]);
        if (health === "unchecked") expect(JSON.parse(body)).toMatchObject({ status: 503, code: "not-ready" });
      }
      expect(stage.upstream.requests).toEqual([]);

      await byRename(stage.policiesFile, good);
      await waitFor({ what: "the engine to be ready", timeoutMs: 10_000 }, async () =>
        (await readiness(engine)) === 200 ? true : undefined,
      );
      await waitFor({ what: "requests to work", timeoutMs: 10_000 }, async () =>
        (await send(stage.envoy.port, { path: "/v1/catalogue" })).status === 200 ? true : undefined,
      );
      expect((await send(stage.envoy.port, { path: "/health" })).status).toBe(200);
    } finally {
      await stage.close();
    }
  },
);
