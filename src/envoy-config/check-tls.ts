/** Whether the cluster of the engines speaks TLS where they do, and proves and asks for what it must. */
import type { Place } from "../config/node.ts";
import { at, atKey } from "../config/read.ts";
import { problem } from "../errors.ts";
import type { CheckContext } from "./check-context.ts";
import { field, isMessage, items, text } from "./field.ts";

export function checkClusterTls(cluster: Place, { demands, report }: CheckContext): void {
  // Which endpoint takes which of these is in metadata that may come from anywhere.
  if (field(cluster, "transport_socket_matches") !== undefined) return;
  const { tls } = demands.settings;
  const context = upstreamTlsContext(field(cluster, "transport_socket"));
  const engineAsks = tls !== undefined && !reachesOnlySockets(cluster);
  if (context === undefined) {
    if (engineAsks) report(problem("envoy-cluster-tls", atKey(cluster), { detail: "speaks in clear, and the engine's port speaks TLS" }));
    return;
  }
  if (!engineAsks) {
    const why = tls === undefined ? "the settings have no `tls`" : "the engine's Unix sockets are in clear";
    report(problem("envoy-cluster-tls", at(context), { detail: `speaks TLS, and ${why}` }));
    return;
  }
  const common = field(context, "common_tls_context");
  const protocols = field(common, "alpn_protocols");
  if (!items(protocols).some((one) => text(one) === "h2")) {
    // Envoy's requests say it on their own, its health checks do not (measured with 1.36.2): no engine would ever be healthy.
    const detail = "does not offer HTTP/2 in `alpn_protocols`, and the engine hangs up";
    report(problem("envoy-cluster-tls", atKey(protocols ?? common ?? context), { detail }));
  }
  if (tls.clientCa !== undefined && !hasAny(common, ownCertificates)) {
    const detail = "shows no certificate of Envoy's, and the settings' `tls.clientCa` asks for one";
    report(problem("envoy-cluster-tls", atKey(common ?? context), { detail }));
  }
  if (!hasAny(common, validations)) report(problem("envoy-cluster-ca", atKey(common ?? context), {}));
}

const ownCertificates = [
  "tls_certificates",
  "tls_certificate_sds_secret_configs",
  "tls_certificate_provider_instance",
  "custom_tls_certificate_selector",
];
const validations = ["validation_context", "validation_context_sds_secret_config", "combined_validation_context"];

function hasAny(place: Place | undefined, keys: readonly string[]): boolean {
  return keys.some((key) => field(place, key) !== undefined);
}

/** Others, such as taps and the PROXY protocol, wrap one. */
function upstreamTlsContext(socket: Place | undefined): Place | undefined {
  const config = field(socket, "typed_config");
  if (config === undefined || isMessage(config, "UpstreamTlsContext")) return config;
  return upstreamTlsContext(field(config, "transport_socket"));
}

function reachesOnlySockets(cluster: Place): boolean {
  const endpoints = items(field(cluster, "load_assignment", "endpoints")).flatMap((locality) => items(field(locality, "lb_endpoints")));
  return endpoints.length > 0 && endpoints.every((one) => field(one, "endpoint", "address", "pipe") !== undefined);
}
