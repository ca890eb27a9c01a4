/** What is told of a connection that is ended because of what its peer does. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
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
  const { transport, connected, events } = await listening(limits);
  const socket = await connected();
  const closed = once(socket.resume(), "close");
  for (const some of bytes) socket.write(some);
  await closed;
  expect(events).toEqual([told]);
  await transport.close();
});

test("a connection that gives way to another one", async () => {
  const { transport, connected, events } = await listening({ connectionsMax: 1 });
  const first = await connected();
  first.write(Buffer.concat([preface, settings(), ping]));
  // It has been taken.
  await once(first, "data");
  const closed = once(first.resume(), "close");
  const second = await connected();
  await closed;
  expect(events).toEqual([{ reason: "connections", detail: "there are too many connections" }]);
  second.destroy();
  await transport.close();
});

async function listening(limits: Partial<NativeLimits>) {
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
  const connected = async (): Promise<Socket> => {
    const socket = connect(bound?.kind === "tcp" ? bound.port : 0, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  };
  return { transport, events, connected };
}
