/**
 * The native transport in a process of its own, which answers each message with itself: `node serve.ts PORT|PATH [LIMITS]`. Says READY when it is.
 * A parent that sends it a message gets the memory it uses.
 */
import type { ListenAddress } from "../../../src/config/addresses.ts";
import { defaultLimits } from "../../../src/transport/native/limits.ts";
import { createNativeTransport } from "../../../src/transport/native/native-transport.ts";

const [where = "", limits = "{}"] = process.argv.slice(2);
const address: ListenAddress = where.startsWith("/")
  ? { kind: "unix", path: where }
  : { kind: "tcp", host: "127.0.0.1", port: Number(where) };
const transport = createNativeTransport(
  { addresses: [address], serving: () => true, messageBytesMax: 1024 * 1024 },
  { monotonicMs: () => performance.now(), limits: { ...defaultLimits, ...JSON.parse(limits) } },
);
await transport.listen((_metadata, sink) => ({
  message: (bytes) => sink.sendAndEnd(bytes),
  halfClosed: () => sink.end(),
  drained: () => {},
  closed: () => {},
}));
process.on("message", () => process.send?.(process.memoryUsage().rss));
process.on("disconnect", () => process.exit());
process.stdout.write("READY\n");
