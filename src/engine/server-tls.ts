/** The engine's own certificate: read at the start, watched from then on. */
import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { ServerTlsFiles } from "../config/tls-settings.ts";
import type { FilesState } from "../files/read-files.ts";
import { watchFiles } from "../files/watch.ts";
import type { ServerTls, TlsMaterial } from "../kernel/transport.ts";
import type { Log } from "../observe/log.ts";
import { secureContextOptions } from "../transport/tls-context.ts";

export interface WatchedServerTls extends ServerTls {
  /** When the certificate in use ends, milliseconds since the epoch. */
  expiresAtMs(): number;
  close(): Promise<void>;
}

/**
 * Rejects when the files cannot be read or do not fit together: an engine that cannot prove who it is must not start. Later they are
 * refused with a line in the log, and what was in use stays.
 */
export async function watchServerTls(files: ServerTlsFiles, log: Log): Promise<WatchedServerTls> {
  const watchers: ((material: TlsMaterial) => void)[] = [];
  const paths = [files.certificate, files.key, ...(files.clientCa === undefined ? [] : [files.clientCa])];
  const watch = await watchFiles(paths, changed);
  let material: TlsMaterial;
  try {
    material = readMaterial(files, watch.first);
  } catch (error) {
    await watch.close();
    throw error;
  }
  return {
    read: () => material,
    watch: (listener) => void watchers.push(listener),
    expiresAtMs: () => new X509Certificate(material.certificate).validToDate.getTime(),
    close: watch.close,
  };

  function changed(state: FilesState): void {
    try {
      material = readMaterial(files, state);
    } catch (error) {
      // Also for a moment between the writing of the certificate and that of its key.
      log.error({ err: error }, "the engine's new certificate is refused: the one in use stays");
      return;
    }
    for (const listener of watchers) listener(material);
    const { subject, validTo } = new X509Certificate(material.certificate);
    log.info({ subject, validTo }, "a new certificate is in use for new connections");
  }
}

/** Throws when a file is not what it should be; the message names it and no content. */
function readMaterial({ certificate, key, clientCa }: ServerTlsFiles, state: FilesState): TlsMaterial {
  if (state.kind === "failed") throw state.error;
  const text = (path: string): string => {
    const found = state.files.find((file) => file.path === path);
    return found === undefined ? "" : Buffer.from(found.bytes).toString("utf8");
  };
  const material = { certificate: text(certificate), key: text(key), clientCa: clientCa === undefined ? undefined : text(clientCa) };
  checkCertificate(certificate, material.certificate);
  // An empty one would mean all authorities that Node trusts.
  if (clientCa !== undefined) checkCertificate(clientCa, text(clientCa));
  try {
    createSecureContext(secureContextOptions(material));
  } catch (error) {
    const mend = "write the certificate and the key that belong together, as PEM and without a passphrase";
    throw new Error(`\`${certificate}\` and \`${key}\` cannot be used together: ${mend}`, { cause: error });
  }
  return material;
}

function checkCertificate(path: string, text: string): void {
  try {
    new X509Certificate(text);
  } catch (error) {
    throw new Error(`\`${path}\` holds no certificate: write one as PEM, beginning with \`-----BEGIN CERTIFICATE-----\``, { cause: error });
  }
}
