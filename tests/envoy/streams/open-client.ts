/** A request whose body is sent step by step, and a response that is read as it comes. */
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { createGunzip } from "node:zlib";

export interface OpenClient {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** What has come of the body so far. */
  text(): string;
  /** Settles when what has come is so. */
  until(holds: (text: string) => boolean): Promise<void>;
  /** Rejects when the body is broken off. */
  readonly ended: Promise<void>;
}

export interface Opening {
  readonly port: number;
  readonly path: string;
  readonly method: "GET" | "HEAD" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: no body. */
  readonly sendBody?: (asking: ClientRequest) => Promise<void>;
}

/** Sends a request and waits for the headers of the response. Rejects when there are none. */
export function openClient({ port, path, method, headers = {}, sendBody = async () => {} }: Opening): Promise<OpenClient> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: "127.0.0.1", port, path, method, headers, agent: false });
    asking.once("error", reject);
    asking.once("response", (response) => resolve(clientOf(response)));
    sendBody(asking).then(() => asking.end(), reject);
  });
}

function clientOf(response: IncomingMessage): OpenClient {
  let text = "";
  let changed = (): void => {};
  const isZipped = response.headers["content-encoding"] === "gzip";
  const body = isZipped ? response.pipe(createGunzip()) : response;
  body.setEncoding("utf8");
  body.on("data", (part: string) => {
    text += part;
    changed();
  });
  const ended = new Promise<void>((resolve, reject) => {
    body.once("end", resolve);
    body.once("error", reject);
  });
  // Whether somebody waits for it or not.
  ended.catch(() => {});
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: () => text,
    ended,
    async until(holds) {
      while (!holds(text)) {
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
    },
  };
}
