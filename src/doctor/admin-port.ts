/** Reads Envoy's admin port and the engine's. */

/** One request. Resolves with the whole answer, whatever its status; rejects with an `Error` that says whom it could not reach and why. */
export type Fetch = (
  url: string,
  init: { readonly signal: AbortSignal; readonly bodyBytesMax: number; readonly headers?: Readonly<Record<string, string>> },
) => Promise<Response>;

const timeoutMs = 10_000;
/** A dump of some ten thousand clusters. */
const bodyBytesMax = 256 * 1024 * 1024;

export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
}

/** `path` is below the port's URL, `stats?filter=a`. */
export function pageUrl(port: URL, path: string): URL {
  return new URL(path, port.href.endsWith("/") ? port : `${port.href}/`);
}

/** Rejects when there is no whole answer within 10 s. */
export async function askAdmin(fetch: Fetch, port: URL, path: string): Promise<AdminAnswer> {
  const response = await fetch(pageUrl(port, path).href, { signal: AbortSignal.timeout(timeoutMs), bodyBytesMax });
  return { status: response.status, text: await response.text() };
}

/** Like `askAdmin`; rejects when the status is not 200. */
export async function readAdmin(fetch: Fetch, port: URL, path: string): Promise<string> {
  const { status, text } = await askAdmin(fetch, port, path);
  if (status !== 200) throw new Error(`${pageUrl(port, path).href} answers ${status}`);
  return text;
}

/** Like `readAdmin`, for JSON. */
export async function readAdminJson(fetch: Fetch, port: URL, path: string): Promise<unknown> {
  const text = await readAdmin(fetch, port, path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${pageUrl(port, path).href} answers with something else than JSON`, { cause: error });
  }
}
