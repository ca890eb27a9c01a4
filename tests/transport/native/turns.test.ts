/** Whoever sends faster than it can be served must not be all that the event loop looks at. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { createNativeTransport } from "../../../src/transport/native/native-transport.ts";
import { data, grpcRequest, headers, message, preface, settings } from "./frames.ts";

const messageBytes = 16_000;
const messages = 250;

test("of one connection so much is read before it is the turn of others", async () => {
  let received = 0;
  let inARow = 0;
  let inARowMax = 0;
  const transport = createNativeTransport(
    { addresses: [{ kind: "tcp", host: "127.0.0.1", port: 0 }], serving: () => true, messageBytesMax: messageBytes },
    { monotonicMs: () => performance.now() },
  );
  const [bound] = await transport.listen((_metadata, sink) => ({
    message(bytes) {
      received++;
      if (inARow === 0) setImmediate(() => (inARow = 0));
      inARow += bytes.length;
      inARowMax = Math.max(inARowMax, inARow);
      sink.end();
    },
    halfClosed() {},
    drained() {},
    closed() {},
  }));
  const socket = connect(bound?.kind === "tcp" ? bound.port : 0, "127.0.0.1");
  await once(socket, "connect");
  const exchanges = Array.from({ length: messages }, (_, nth) =>
    Buffer.concat([headers(2 * nth + 1, grpcRequest()), data(2 * nth + 1, message(Buffer.alloc(messageBytes)))]),
  );
  socket.resume().write(Buffer.concat([preface, settings(), ...exchanges]));
  await expect.poll(() => received, { timeout: 20_000 }).toBe(messages);
  // Node reads 64 KiB at once, and once more before it knows that it should not. Read without turns, it was 2 MiB.
  expect(inARowMax).toBeLessThan(4 * 64 * 1024);
  socket.destroy();
  await transport.close();
});
