/** The native transport alone, for tools that ask a server: `node serve.ts PORT`, ready when it says so. */
import { createNativeTransport } from "../../../src/transport/native/native-transport.ts";

const addresses = [{ kind: "tcp", host: "127.0.0.1", port: Number(process.argv[2]) }] as const;
const transport = createNativeTransport(
  { addresses, serving: () => true, messageBytesMax: 1024 * 1024 },
  { monotonicMs: () => performance.now() },
);
await transport.listen((_metadata, sink) => ({
  message: (bytes) => sink.sendAndEnd(bytes),
  halfClosed: () => sink.end(),
  drained: () => {},
  closed: () => {},
}));
process.stdout.write("READY\n");
