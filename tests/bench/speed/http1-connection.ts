/**
 * A connection for one request at a time, as cheap as it can be: what the generator takes of the two cores, Envoy and the processor do not get.
 * Requests are bytes made beforehand; of an answer only what says whether it is right is read.
 */
import { connect, type Socket } from "node:net";

export interface BenchRequest {
  readonly bytes: Buffer;
  /** Stands in the head of the right answer, which is a 200. */
  readonly answer: string;
}

/** Undefined: the answer was right. */
export type Done = (fault: string | undefined) => void;

export interface Connection {
  /** To be called when the one before is done. */
  send(request: BenchRequest, done: Done): void;
  /** Whether more can be sent on it. */
  usable(): boolean;
  close(): void;
}

/** Resolves when it is connected to a port on loopback. */
export function openConnection(port: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(connectionOn(socket));
    });
  });
}

function connectionOn(socket: Socket): Connection {
  let expected: string | undefined;
  let done: Done = () => {};
  let received = "";
  const end = (fault: string | undefined): void => {
    if (expected === undefined) return;
    expected = undefined;
    received = "";
    done(fault);
  };
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    received = received === "" ? text : received + text;
    const headEnd = received.indexOf("\r\n\r\n");
    if (headEnd < 0 || received.length < headEnd + 4 + contentLength(received.slice(0, headEnd))) return;
    end(expected !== undefined && isRight(received, expected) ? undefined : `wanted "${expected}", got ${JSON.stringify(received)}`);
  });
  socket.on("error", (error) => end(error.message));
  socket.on("close", () => end("the connection was closed"));
  return {
    send(request, whenDone) {
      expected = request.answer;
      done = whenDone;
      if (socket.destroyed) end("the connection was closed");
      else socket.write(request.bytes);
    },
    usable: () => !socket.destroyed,
    close: () => socket.destroy(),
  };
}

function isRight(received: string, expected: string): boolean {
  return received.startsWith("HTTP/1.1 200 ") && received.includes(expected);
}

function contentLength(head: string): number {
  return Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0);
}
