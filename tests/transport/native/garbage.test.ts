/** What an exchange has used is garbage of the youngest kind: nothing that lives longer may hold on to it, not even by accident. */
import { getHeapSpaceStatistics } from "node:v8";
import type { PolicyInstance } from "@envoy-policy-engine/sdk";
import { expect, test } from "vitest";
import { createAcceptRequest } from "../../../src/transport/native/grpc/accept-request.ts";
import { Connection } from "../../../src/transport/native/http2/connection.ts";
import { Memory } from "../../../src/transport/native/http2/memory.ts";
import { defaultLimits } from "../../../src/transport/native/limits.ts";
import { envoyBytes } from "../../conversations/conversation.ts";
import { engineUnderTest } from "../../conversations/engine-under-test.ts";
import { chainOf, codePolicies } from "../../support/code-policy.ts";
import { collectGarbage } from "../../support/collect-garbage.ts";
import { messageBytesMax, tables } from "./driven-connection.ts";
import { data, flags, grpcRequest, headers, message, preface, settings, windowUpdate } from "./frames.ts";

const setsAHeader: PolicyInstance<unknown> = { request: ({ request }) => void request.headers.set("x-step", "there") };
const request = Buffer.from(envoyBytes({ message: "request-headers", headers: { ":method": "GET", ":path": "/" } }, true, "route"));

/** So many are always open. */
const neighbours = 8;
const exchanges = 20_000;
const sampleEvery = 500;

test("exchanges leave nothing behind that only a full collection finds", async () => {
  const engine = await engineUnderTest(chainOf("sets-a-header"), {}, { policies: codePolicies({ "sets-a-header": setsAHeader }) });
  let written = 0;
  const connection = new Connection({
    host: {
      write: (buffers) => {
        written += buffers.reduce((sum, { length }) => sum + length, 0);
        return 0;
      },
      end: () => {},
      gaveUp: (_code, text) => {
        throw new Error(text);
      },
      wake: () => {},
      monotonicMs: () => performance.now(),
    },
    accept: createAcceptRequest({ open: engine.open, serving: () => true, messageBytesMax }),
    tables,
    memory: new Memory(defaultLimits, messageBytesMax),
    limits: defaultLimits,
    messageBytesMax,
  });
  connection.start();
  connection.receive(Buffer.concat([preface, settings()]));
  let acknowledged = 0;
  let id = 1;
  const exchange = (): void => {
    id += 2;
    connection.receive(headers(id, [...grpcRequest(), ["x-route", "r:route"]]));
    const oldest = id - 2 * neighbours;
    if (oldest > 1) connection.receive(data(oldest, message(request), flags.endStream));
    connection.receive(windowUpdate(0, written - acknowledged + 1));
    acknowledged = written;
  };
  const oldBytes = (): number => getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")?.space_used_size ?? 0;
  for (let count = 0; count < exchanges / 2; count += 1) exchange();
  // What is in use now counts as old from here on, as after any full collection.
  collectGarbage();
  const before = oldBytes();
  let most = before;
  for (let count = 0; count < exchanges; count += 1) {
    exchange();
    if (count % sampleEvery === 0) most = Math.max(most, oldBytes());
  }
  expect(engine.counters.read().ended.continued).toBe(1.5 * exchanges - neighbours);
  // Each exchange uses more than 10 KiB, so all of them together more than 200 MiB.
  expect(most - before).toBeLessThan(2 * 1024 * 1024);
});
