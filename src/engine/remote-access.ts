/** How remote providers reach their servers: certificates and tokens, read anew for each connection, so that rotated ones take effect. */
import { readFile } from "node:fs/promises";
import type { RemoteSettings, TlsFiles } from "../config/remote-provider-settings.ts";
import type { Secrets } from "../generations/secrets.ts";

export interface TlsTexts {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Rejects when a file cannot be read; the message names it. */
export async function readTls(files: TlsFiles | undefined): Promise<TlsTexts> {
  const ca = files?.ca === undefined ? {} : { ca: await readPem(files.ca) };
  const { client } = files ?? {};
  return client === undefined ? ca : { ...ca, cert: await readPem(client.certificate), key: await readPem(client.key) };
}

/** The value of an `authorization` header; undefined when no token is asked for. Throws when it cannot be read. */
export function authorization({ token }: Pick<RemoteSettings, "token">, secrets: Secrets): string | undefined {
  if (token === undefined) return undefined;
  const read = secrets.read(token);
  if ("missing" in read) throw new Error(`the token \${${token.kind}:${token.name}} cannot be read: ${read.missing}`);
  return `Bearer ${read.value.trim()}`;
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Error(`cannot read \`${path}\`: ${error instanceof Error && "code" in error ? String(error.code) : "unknown error"}`);
  }
}
