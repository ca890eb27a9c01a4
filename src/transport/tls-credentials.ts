import { ServerCredentials } from "@grpc/grpc-js";
import type { ServerTls } from "../kernel/transport.ts";
import { handshakeOptions, secureContextOptions } from "./tls-context.ts";

/** Credentials for grpc-js that follow their files. Its own way, `createSsl`, takes neither a TLS version nor another certificate later. */
export function createTlsCredentials(tls: ServerTls): ServerCredentials {
  return new TlsCredentials(tls);
}

class TlsCredentials extends ServerCredentials {
  constructor(tls: ServerTls) {
    super(handshakeOptions(tls), secureContextOptions(tls.read()));
    tls.watch((material) => this.updateSecureContextOptions(secureContextOptions(material)));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
