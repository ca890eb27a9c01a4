/** What the steps saw last is what the upstream and the client get: bytes of headers and bodies, whatever the chain did to them. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProcessingMode_BodySendMode as BodyMode } from "../../src/generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import { exchangeThroughKernel, type HeaderLine } from "../../src/testing/simulated-envoy.ts";
import { engineUnderTest } from "../conversations/engine-under-test.ts";
import { chainCount, plannedChains } from "../support/view-is-wire/chains.ts";
import { expectWire } from "../support/view-is-wire/expect-wire.ts";
import { acts, anyValue, pathAndQuery, sent, smallBody, type Target } from "../support/view-is-wire/generated.ts";

const nothing = new Uint8Array();

test("what arrives is what the last step saw, byte for byte", async () => {
  const chains = plannedChains();
  const engine = await engineUnderTest(chains.config, {}, { policies: chains.policies });
  let replaced = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: chainCount - 1 }),
      acts("request", anyValue, smallBody),
      acts("response", anyValue, smallBody),
      sent("request", anyValue, smallBody),
      sent("response", anyValue, smallBody),
      async (mask, request, response, asked, answered) => {
        chains.begin({ request, response });
        const pseudo: readonly HeaderLine[] = [
          [":method", "POST"],
          [":path", "/"],
          [":authority", "example.com"],
        ];
        const message = {
          route: `c${mask}`,
          headers: [...pseudo, ...asked.headers],
          body: asked.body && [asked.body],
          trailers: [],
          attributes: {},
          configured: { request: BodyMode.NONE, response: BodyMode.NONE },
        };
        const { upstream, client, replied } = await exchangeThroughKernel(engine.open, message, () => ({
          headers: [[":status", "200"], ...answered.headers],
          body: answered.body && [answered.body],
          trailers: [],
        }));
        expect(replied).toBe(false);
        if (upstream === undefined) throw new Error("the upstream was not asked");
        const arrived = { target: targetOf(upstream.headers), headers: upstream.headers, body: upstream.body ?? nothing };
        expectWire("request", asked, request, arrived, chains.seen("request"));
        expectWire("response", answered, response, { target: undefined, ...client }, chains.seen("response"));
        if (upstream.body !== asked.body) replaced += 1;
      },
    ),
    { seed: 5, numRuns: 4000 },
  );
  expect(replaced).toBeGreaterThan(400);
  expect(engine.counters.read().open).toBe(0);
  expect(engine.openGenerations()).toBe(0);
}, 60_000);

function targetOf(headers: readonly HeaderLine[]): Target {
  const { ":method": method = "", ":path": whole = "", ":authority": host = "" } = Object.fromEntries(headers);
  return { method, host, ...pathAndQuery(whole) };
}
