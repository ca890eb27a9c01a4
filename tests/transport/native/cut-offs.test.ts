/** What is told of a connection that is ended because of what its peer does. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import type { CutOff } from "../../../src/kernel/transport.ts";
import { defaultLimits, type NativeLimits } from "../../../src/transport/native/limits.ts";
import { createNativeTransport } from "../../../src/transport/native/native-transport.ts";
import { frame, preface, settings, types } from "./frames.ts";

const ping = frame(types.ping, 0, 0, Buffer.alloc(8));
const one = { burst: 1, perSecond: 0 };

test.for<readonly [limits: Partial<NativeLimits>, bytes: readonly Buffer[], told: CutOff]>([
  [{ pings: one }, [preface, settings(), ping, ping], { reason: "bound", detail: "too many PINGs" }],
  [{ incompleteMs: 1 }, [preface], { reason: "slow", detail: "what was begun is not ended" }],
  [{}, [Buffer.from("GET / HTTP/1.1\r\n\r\n\r\n\r\n\r\n\r\n")], { reason: "protocol", detail: expect.any(String) }],
  [{ connectionsMax: 0 }, [], { reason: "connections", detail: "there are too many connections" }],
])("%j", async ([limits, bytes, told]) => {
  const events: CutOff[] = [];
  const transport = createNativeTransport(
    {
      addresses: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
      serving: () => true,
      messageBytesMax: 1024,
      cutOff: (event) => void events.push(event),
    },
    { monotonicMs: () => performance.now(), limits: { ...defaultLimits, ...limits } },
  );
  const [bound] = await transport.listen(() => ({ message() {}, halfClosed() {}, drained() {}, closed() {} }));
  const socket = connect(bound?.kind === "tcp" ? bound.port : 0, "127.0.0.1");
  const closed = once(socket.resume(), "close");
  socket.on("error", () => {});
  for (const some of bytes) socket.write(some);
  await closed;
  expect(events).toEqual([told]);
  await transport.close();
});
