/** What both transports do with those who come to a port with TLS. */
import { once } from "node:events";
import { connect as connectInClear } from "node:net";
import { type ConnectionOptions, connect } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import type { ServerTls, TlsMaterial, Transport, TransportOptions } from "../../src/kernel/transport.ts";
import { createTransport } from "../../src/transport/create-transport.ts";
import { certificateAuthority, privateKeyPem, serverCertificate } from "../support/certificates.ts";
import { type CreateTransport, transports } from "../support/transports.ts";

const authority = certificateAuthority("authority");
const [engine, client] = [serverCertificate("localhost", authority), serverCertificate("client", authority)];
const material: TlsMaterial = { certificate: engine.pem, key: privateKeyPem(engine), clientCa: undefined };
const clientPair = { cert: client.pem, key: privateKeyPem(client) };

const opened: Transport[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const still = (one: TlsMaterial): ServerTls => ({ read: () => one, watch: () => {} });

async function listenOn(create: CreateTransport, tls: ServerTls, cutOff: TransportOptions["cutOff"] = () => {}): Promise<number> {
  const addresses = [{ kind: "tcp", host: "127.0.0.1", port: 0 }] as const;
  const transport = create({ addresses, serving: () => true, messageBytesMax: 1024, cutOff });
  opened.push(transport);
  const [bound] = await transport.listen(() => ({ message() {}, halfClosed() {}, drained() {}, closed() {} }), tls);
  return bound?.kind === "tcp" ? bound.port : 0;
}

/** The first frame that the server sends is SETTINGS (type 4, RFC 9113 3.4); without one, the connection was refused. */
function ask(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: authority.pem, ALPNProtocols: ["h2"], ...options });
    socket.once("secureConnect", () => socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"));
    socket.once("data", (bytes) => {
      resolve(bytes[3] === 4 ? `${socket.getProtocol()} ${socket.alpnProtocol}` : "something else");
      socket.destroy();
    });
    socket.on("error", () => {});
    socket.once("close", () => resolve("refused"));
  });
}

describe.for(transports)("%s", ([name, create]) => {
  const listen = (tls: ServerTls): Promise<number> => listenOn(create, tls);

  test.for<readonly [what: string, clientCa: string | undefined, options: ConnectionOptions, answer: string]>([
    ["TLS 1.3", undefined, {}, "TLSv1.3 h2"],
    ["TLS 1.2", undefined, { maxVersion: "TLSv1.2" }, "TLSv1.2 h2"],
    ["TLS 1.1", undefined, { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }, "refused"],
    ["a cipher that RFC 9113 forbids", undefined, { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA256" }, "refused"],
    ["HTTP/1.1", undefined, { ALPNProtocols: ["http/1.1"] }, "refused"],
    ["a certificate that is asked for", authority.pem, clientPair, "TLSv1.3 h2"],
    ["no certificate where one is asked for", authority.pem, {}, "refused"],
    ["a certificate from elsewhere", certificateAuthority("elsewhere").pem, clientPair, "refused"],
  ])("%s", async ([, clientCa, options, answer]) => {
    expect(await ask(await listen(still({ ...material, clientCa })), options)).toBe(answer);
  });

  test("authorities that are replaced count for the next connection, also for one that resumes a session", async () => {
    let changed = (_next: TlsMaterial): void => {};
    const port = await listen({
      read: () => ({ ...material, clientCa: authority.pem }),
      watch: (listener) => {
        changed = listener;
      },
    });
    const first = connect({ port, host: "127.0.0.1", servername: "localhost", ca: authority.pem, ALPNProtocols: ["h2"], ...clientPair });
    first.once("secureConnect", () => first.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"));
    const [session] = await once(first, "session");
    expect(await ask(port, { ...clientPair, session })).toBe("TLSv1.3 h2");
    changed({ ...material, clientCa: certificateAuthority("elsewhere").pem });
    expect(await ask(port, { ...clientPair, session })).toBe("refused");
    first.destroy();
  });

  test("who speaks TLS 1.2 gets one handshake", async () => {
    const port = await listen(still(material));
    const socket = connect({
      port,
      host: "127.0.0.1",
      ca: authority.pem,
      servername: "localhost",
      ALPNProtocols: ["h2"],
      maxVersion: "TLSv1.2",
    });
    await once(socket, "secureConnect");
    const second = new Promise((resolve) => {
      socket.once("error", () => resolve("refused"));
      socket.renegotiate({}, () => resolve("made"));
    });
    expect(await second).toBe("refused");
    socket.destroy();
  });

  test.for<readonly [what: string, everyMs: number]>([
    ["says nothing", 60_000],
    ...(name === "native" ? ([["says its hello octet by octet", 200]] as const) : []),
  ])("who %s is cut off before a handshake has come about", { timeout: 20_000 }, async ([, everyMs]) => {
    const socket = connectInClear(await listen(still(material)), "127.0.0.1");
    socket.on("error", () => {});
    // The beginning of a record that may hold 512 octets.
    const hello = Buffer.alloc(517).fill(Buffer.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3), 0, 11);
    let sent = 0;
    const talking = setInterval(() => socket.write(hello.subarray(sent, ++sent)), everyMs);
    await once(socket.resume(), "close");
    clearInterval(talking);
  });

  // grpc-js leaves them to the handshake's limit.
  test("closing ends connections whose handshake has not begun", { timeout: 20_000 }, async () => {
    const port = await listen(still(material));
    const socket = connectInClear(port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    const closed = once(socket, "close");
    // The server must have it before it closes.
    await ask(port, {});
    await opened[0]?.close();
    await closed;
  });
});

test.for<readonly [what: string, clientCa: string | undefined, options: ConnectionOptions, told: readonly string[]]>([
  ["nobody, when all is well", undefined, {}, []],
  ["no certificate", authority.pem, {}, ["tls"]],
  ["a certificate from elsewhere", certificateAuthority("elsewhere").pem, clientPair, ["tls"]],
  ["HTTP/1.1", undefined, { ALPNProtocols: ["http/1.1"] }, ["tls"]],
  ["no protocol", undefined, { ALPNProtocols: [] }, ["tls"]],
])("native tells of: %s", async ([, clientCa, options, told]) => {
  const reasons: string[] = [];
  const create: CreateTransport = (parts) => createTransport("native", parts, () => performance.now());
  const port = await listenOn(create, still({ ...material, clientCa }), ({ reason }) => void reasons.push(reason));
  await ask(port, options);
  await expect.poll(() => reasons).toEqual(told);
});
