/**
 * What one peer does must not be felt by another: during each attack an honest client on its own connection is answered, and the memory of the
 * server stays bounded. The server is a process of its own, with the limits that are shipped.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultLimits } from "../../../src/transport/native/limits.ts";
import { extProcClient } from "../../support/ext-proc-client.ts";
import { type Attack, attacks, streamsLeft } from "./attacks.ts";
import {
  data,
  type Frame,
  flags,
  frame,
  grpcRequest,
  headers,
  message,
  preface,
  processPath,
  readFrames,
  settings,
  types,
  windowUpdate,
} from "./frames.ts";

/** What an attack may add to what the server holds, MiB: the largest bounds of one connection, twice, for garbage. */
const grownMiBMax = 160;
/** Honest exchanges before, during and after each attack. */
const exchangesMin = 20;

const ping = frame(types.ping, flags.none, 0, Buffer.alloc(8));

let folder: string;
let server: ChildProcess;
let path: string;

const startServer = async (name: string, limits: object = {}): Promise<readonly [ChildProcess, string]> => {
  const socket = join(folder, name);
  const child = fork(join(import.meta.dirname, "serve.ts"), [socket, JSON.stringify(limits)], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  if (child.stdout !== null) await once(child.stdout, "data");
  return [child, socket];
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "attacks-"));
  [server, path] = await startServer("engine.sock");
});

afterAll(() => {
  server.disconnect();
  rmSync(folder, { recursive: true, force: true });
});

describe("an attack", () => {
  test.for(attacks.map((attack) => [attack.name, attack] as const))("%s", { timeout: 60_000 }, async ([, attack]) => {
    const before = await memoryMiB(server);
    const honest = startHonestClient(path);
    await honest.exchanges(exchangesMin);
    const attacker = await run(attack, path);
    await honest.exchanges(exchangesMin);
    expect(await honest.stop()).toEqual([]);
    expect((await memoryMiB(server)) - before).toBeLessThan(grownMiBMax);
    expect(attacker.ended()).toBe(attack.ends);
    if (attack.streamsHear !== undefined) expect(attacker.hears()).toBe(true);
    attacker.socket.destroy();
    expect(server.exitCode).toBeNull();
  });
});

test("streams that many connections open and leave are refused before the process has no room for them", { timeout: 60_000 }, async () => {
  const before = await memoryMiB(server);
  const openStreams = attacks.find(({ name }) => name === "streams that are opened and left");
  if (openStreams === undefined) throw new Error("there is no such attack");
  const attackers: Attacker[] = [];
  // Each opens as many as a connection may have, and nothing is refused because of that.
  const eachOpensItsOwn = { ...openStreams, pieces: () => streamsLeft(defaultLimits.streamsMax - 200) };
  for (let nth = 0; nth < 4; nth++) attackers.push(await run(eachOpensItsOwn, path));
  expect(attackers.map((attacker) => attacker.hears())).toEqual([false, false, expect.any(Boolean), true]);
  const honest = startHonestClient(path);
  await honest.exchanges(exchangesMin);
  expect(await honest.stop()).toEqual([]);
  expect((await memoryMiB(server)) - before).toBeLessThan(grownMiBMax);
  for (const { socket } of attackers) socket.destroy();
});

describe("a peer that is slow on purpose", () => {
  test.for<[string, readonly Buffer[]]>([
    ["says nothing", []],
    ["says half a preface", [preface.subarray(0, 10)]],
    ["sends no settings", [preface]],
    ["begins a frame", [preface, settings(), Buffer.of(0, 0, 8, types.ping, 0)]],
    ["begins a header block", [preface, settings(), Buffer.of(0, 0, 1, types.headers, 0, 0, 0, 0, 1, 0x82)]],
  ])("one that %s is cut off", async ([, bytes]) => {
    const [child, socket] = await startServer(`slow-${bytes.length}-${Buffer.concat(bytes).length}.sock`, { incompleteMs: 200 });
    const peer = await connected(socket);
    for (const one of bytes) peer.write(one);
    await once(peer.resume(), "close");
    child.disconnect();
  });

  const connectionsMax = 10;
  test("connections that do nothing give way to a new one, and those that are used stay", async () => {
    const [child, socket] = await startServer("many.sock", { connectionsMax, incompleteMs: 60_000 });
    const used = await connected(socket);
    let answers = 0;
    used.on("data", (bytes) => {
      if (readFrames(bytes).frames.some(({ type }) => type === types.data)) answers++;
    });
    used.write(Buffer.concat([preface, settings(), headers(1, grpcRequest())]));
    const answer = data(1, message("still there?"));
    const peers = await Promise.all(Array.from({ length: 3 * connectionsMax }, () => connected(socket)));
    for (const peer of peers) peer.resume().write(Buffer.concat([preface, settings()]));
    await expect.poll(() => peers.filter((peer) => !peer.closed).length, { timeout: 10_000 }).toBe(connectionsMax - 1);
    expect(peers.map((peer) => peer.closed)).toEqual(peers.map((_peer, nth) => nth <= 2 * connectionsMax));
    const honest = startHonestClient(socket);
    await honest.exchanges(1);
    expect(await honest.stop()).toEqual([]);
    used.write(answer);
    await expect.poll(() => answers, { timeout: 10_000 }).toBe(1);
    for (const peer of [used, ...peers]) peer.destroy();
    child.disconnect();
  });

  test("a connection too many is closed when it comes, where all others are used", async () => {
    const [child, socket] = await startServer("used.sock", { connectionsMax });
    const opens = Buffer.concat([preface, settings(), headers(1, grpcRequest())]);
    const used: Socket[] = [];
    for (let nth = 0; nth < connectionsMax; nth++) {
      const peer = await connected(socket);
      peer.write(Buffer.concat([opens, ping]));
      // Its stream is open when the PING is answered.
      await expect.poll(() => readFrames(peer.read() ?? Buffer.of()).frames.some(({ type }) => type === types.ping)).toBe(true);
      used.push(peer);
    }
    const oneMore = await connected(socket);
    await once(oneMore.resume(), "close");
    expect(used.filter((peer) => peer.closed)).toEqual([]);
    for (const peer of used) peer.destroy();
    child.disconnect();
  });

  test("one that takes nothing and asks for a little more now and then is cut off", async () => {
    const [child, socket] = await startServer("stalled.sock", { stalledMs: 1000, writtenMaxBytes: 64 * 1024 ** 2 });
    const peer = await connected(socket);
    peer.write(Buffer.concat([preface, settings([4, 2 ** 31 - 1]), windowUpdate(0, 2 ** 31 - 1 - 65_535)]));
    // More than sockets hold, so that something is never taken.
    for (let nth = 0; nth < 40; nth++) {
      peer.write(Buffer.concat([headers(2 * nth + 1, grpcRequest()), data(2 * nth + 1, message(Buffer.alloc(16_000)))]));
    }
    const asking = setInterval(() => peer.write(ping), 50);
    // It reads nothing, so it learns by writing.
    await expect.poll(() => peer.closed, { timeout: 15_000 }).toBe(true);
    clearInterval(asking);
    child.disconnect();
  });

  test("an idle connection is drained", async () => {
    const [child, socket] = await startServer("idle.sock", { idleMs: 200, drainPingMs: 100 });
    const peer = await connected(socket);
    peer.write(Buffer.concat([preface, settings()]));
    await once(peer.resume(), "close");
    child.disconnect();
  });
});

interface Attacker {
  readonly socket: Socket;
  ended(): Attack["ends"];
  /** Whether some stream has heard what the attack says it should. */
  hears(): boolean;
}

/** Sends until it is cut off or has sent everything. */
async function run({ pieces, peer, ends, streamsHear }: Attack, socketPath: string): Promise<Attacker> {
  const socket = await connected(socketPath);
  let received: Buffer = Buffer.alloc(0);
  let goaway: number | undefined;
  let heard = false;
  if (peer === "reads") {
    socket.on("data", (bytes) => {
      const { frames, rest } = readFrames(Buffer.concat([received, bytes]));
      received = rest;
      goaway ??= frames.find(({ type }) => type === types.goaway)?.payload.readUInt32BE(4);
      heard ||= streamsHear !== undefined && frames.some((frame) => hears(frame, streamsHear));
    });
  }
  for (const piece of pieces()) {
    if (socket.closed || goaway !== undefined) break;
    if (!socket.write(piece)) await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => {});
    await turn();
  }
  await Promise.race([new Promise((resolve) => socket.write(Buffer.of(), resolve)), once(socket, "close").catch(() => {})]);
  // Whoever reads nothing learns by writing that the server has let go of the socket. One that is served stays, as far as a moment shows.
  const timeout = ends === "served" ? 500 : 20_000;
  await expect
    .poll(
      () => {
        if (peer === "ignores" && socket.writable) socket.write(ping);
        return socket.closed || goaway !== undefined;
      },
      { timeout },
    )
    .toBe(true)
    .catch(() => {});
  return { socket, ended: () => goaway ?? (socket.closed ? "closed" : "served"), hears: () => heard };
}

/** A reset with this code, or trailers with this text. */
function hears({ type, payload }: Frame, what: number | string): boolean {
  return typeof what === "number"
    ? type === types.reset && payload.readUInt32BE(0) === what
    : type === types.headers && payload.includes(what);
}

async function connected(socketPath: string): Promise<Socket> {
  const socket = connect(socketPath);
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

async function memoryMiB(child: ChildProcess): Promise<number> {
  child.send("memory");
  const [rss] = await once(child, "message");
  return Number(rss) / 1024 ** 2;
}

/** One exchange after the other, on a connection of its own. */
function startHonestClient(socketPath: string) {
  const client = extProcClient(`unix:${socketPath}`);
  const failures: number[] = [];
  let done = 0;
  let stopped = false;
  const exchange = (): Promise<number> =>
    new Promise((resolve) => {
      const call = client.makeBidiStreamRequest(
        processPath,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        { deadline: Date.now() + 20_000 },
      );
      call.on("data", () => {});
      call.on("error", () => {});
      call.on("status", ({ code }: { code: number }) => resolve(code));
      call.end(Buffer.from("honest"));
    });
  const loop = (async () => {
    while (!stopped) {
      const code = await exchange();
      if (code !== status.OK) failures.push(code);
      done++;
    }
  })();
  return {
    /** Resolves when so many more have been answered. */
    async exchanges(count: number): Promise<void> {
      const until = done + count;
      while (done < until) await turn();
    },
    /** The codes of those that failed. */
    async stop(): Promise<readonly number[]> {
      stopped = true;
      await loop;
      client.close();
      return failures;
    },
  };
}
