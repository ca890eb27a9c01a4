import { constants } from "node:crypto";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import type { ServerTls, TlsMaterial } from "../kernel/transport.ts";

/** What a listener takes for its handshakes from now on. */
export function secureContextOptions({ certificate, key, clientCa }: TlsMaterial): SecureContextOptions {
  return {
    cert: certificate,
    key,
    ...(clientCa === undefined ? {} : { ca: clientCa }),
    minVersion: "TLSv1.2",
    ciphers,
    // RFC 9113 9.2.1. The `disableRenegotiation` of Node's sockets does not keep a client of TLS 1.2 from it (measured: thirty in a row).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** What stays as long as the listener. */
export function handshakeOptions(tls: ServerTls): Pick<TlsOptions, "requestCert" | "rejectUnauthorized" | "handshakeTimeout"> {
  return { requestCert: tls.read().clientCa !== undefined, rejectUnauthorized: true, handshakeTimeout: handshakeMs };
}

/** For the handshake, ms: several times the `connect_timeout` that is printed for Envoy's cluster. As an option of Node's it begins again with each octet. */
export const handshakeMs = 5_000;

/** Those of TLS 1.3, and what RFC 9113 9.2.2 leaves of TLS 1.2: forward secrecy, and encryption that authenticates. */
const ciphers = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
