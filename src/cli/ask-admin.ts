import { request as httpRequest } from "node:http";
import { json as readJson } from "node:stream/consumers";
import type { TcpAddress } from "../config/addresses.ts";
import { adminHost } from "./admin-host.ts";

export interface AdminQuestion {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Sent as JSON. Default: nothing is sent. */
  readonly body?: object;
}

/** The engine may prepare policies for the answer, and each `create` may take its time. */
const timeoutMs = 60_000;

/** Asks the admin port of a running engine. Rejects with words for people when there is no answer, or none in JSON. */
export function askAdmin(
  admin: TcpAddress,
  { method, path, body }: AdminQuestion,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number; readonly body: unknown }>();
  const host = adminHost(admin.host);
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const request = httpRequest({ host, port: admin.port, path, method, headers, timeout: timeoutMs });
  request.on("timeout", () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
  request.on("error", (error) => reject(new Error(`the engine's admin port, ${host}:${admin.port}: ${error.message}`)));
  request.on("response", (response) => {
    readJson(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
  });
  request.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}
