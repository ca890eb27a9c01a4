/** How Envoy's cluster reaches an engine that speaks TLS. */
import type { EnvoySettings } from "./demands.ts";
import { quoted } from "./yaml-text.ts";

/** What the engine's certificate must be for. */
export interface CertificateName {
  readonly type: "DNS" | "IP_ADDRESS";
  readonly value: string;
}

/** The files are placeholders: nobody here knows where Envoy keeps its own. */
export function printTransportSocket({ clientCa }: NonNullable<EnvoySettings["tls"]>, { type, value }: CertificateName): string {
  const sni = type === "DNS" ? `\n    sni: ${quoted(value)}` : "";
  return `# Settings \`tls\`: the engine answers nobody in clear.
transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext${sni}
    common_tls_context:
      # The engine hangs up on who does not say it; Envoy's health checks say it only so.
      alpn_protocols: [h2]
      # Towards upstreams Envoy's own choice is 1.2.
      tls_params: { tls_minimum_protocol_version: TLSv1_3, tls_maximum_protocol_version: TLSv1_3 }${clientCa === undefined ? "" : clientCertificate}
      validation_context:
        # Your file: what vouches for the engine's certificate.
        trusted_ca: { filename: /etc/envoy/policy-engine/ca.pem }
        # The engine's certificate must say this name.
        match_typed_subject_alt_names:
          - { san_type: ${type}, matcher: { exact: ${quoted(value)} } }`;
}

const clientCertificate = `
      # Your files: Envoy's own certificate, from an authority in the settings' \`tls.clientCa\`.
      tls_certificates:
        - certificate_chain: { filename: /etc/envoy/policy-engine/client.pem }
          private_key: { filename: /etc/envoy/policy-engine/client-key.pem }`;
