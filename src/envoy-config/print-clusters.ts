/** The upstream and the engine. */
import type { ListenAddress } from "../config/addresses.ts";
import { workerAddresses } from "../config/workers.ts";
import type { EnvoySettings } from "./demands.ts";
import { type CertificateName, printTransportSocket } from "./print-tls.ts";
import { indented, quoted, seconds } from "./yaml-text.ts";

/** A host name or an IP address (IPv6 without brackets), and a TCP port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export function printClusters({ listen: first, workers, tls, shutdown }: EnvoySettings, upstream: Endpoint): string {
  const listen = workerAddresses(first, workers);
  const name = certificateName(listen);
  const transportSocket = tls === undefined || name === undefined ? "" : `${indented(printTransportSocket(tls, name), 2)}\n`;
  return `- name: upstream
  ${clusterType([upstream.host])}
  connect_timeout: 1s
  load_assignment:
    cluster_name: upstream
    endpoints:
      - lb_endpoints:
          - endpoint: { address: ${socketAddress(upstream)} }

- name: policy_engine
  # In this file: a cluster that is missing or still to come is a 500 for everybody.
  ${clusterType(hostsOf(listen))}
  connect_timeout: 1s
  # Streams live as long as the slowest upstream: count them, do not rotate.
  lb_policy: LEAST_REQUEST
  common_lb_config:
    # No healthy engine: a clean error at once, not a try at the sick ones.
    healthy_panic_threshold: { value: 0 }
    # An engine is used again as soon as it is healthy.
    update_merge_window: 0s
  # The default of 1024 would be the limit of concurrent requests through the engine.
  circuit_breakers:
    thresholds:
      - { priority: DEFAULT, max_connections: 100000, max_pending_requests: 100000, max_requests: 100000, max_retries: 1000 }
      - { priority: HIGH, max_connections: 100000, max_pending_requests: 100000, max_requests: 100000, max_retries: 1000 }
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config:
        http2_protocol_options:
          max_concurrent_streams: 4096
          # Each client that leaves is a reset. With the default, 1000 that wait, Envoy drops the connection and all that is on it.
          max_outbound_control_frames: 100000
          # Notices an engine that hangs.
          connection_keepalive: { interval: 10s, timeout: 3s }
${transportSocket}  health_checks:
    - timeout: 1s
      # Shorter than the settings' \`drainDelay\`: Envoy must notice an engine that is about to stop.
      interval: ${seconds(healthIntervalMs(shutdown.drainDelayMs))}
      # The default of 60 s would let an engine that starts after Envoy wait a minute.
      no_traffic_interval: ${seconds(healthIntervalMs(shutdown.drainDelayMs))}
      unhealthy_threshold: 2
      healthy_threshold: 1
      # SERVING once a configuration is loaded.
      grpc_health_check: {}
  load_assignment:
    cluster_name: policy_engine
    endpoints:
      # Settings \`listen\`${workers === 1 ? "" : " and `workers`"}. Every engine has an address of its own: add those of the others.
      - lb_endpoints:
${reachable(listen)
  .map((address) => `${remark(address)}          - endpoint: { address: ${addressOf(address)} }`)
  .join("\n")}`;
}

/** Milliseconds. Without a drain delay there is nothing to notice in time. */
function healthIntervalMs(drainDelayMs: number): number {
  return drainDelayMs === 0 ? 2000 : Math.min(2000, Math.max(100, Math.floor((drainDelayMs * 2) / 3)));
}

/** One way to the engine is enough; a socket needs no network. */
function reachable(listen: readonly ListenAddress[]): readonly ListenAddress[] {
  const sockets = listen.filter(({ kind }) => kind === "unix");
  return sockets.length > 0 ? sockets : listen;
}

function hostsOf(listen: readonly ListenAddress[]): readonly string[] {
  return reachable(listen).flatMap((address) => (address.kind === "tcp" ? [address.host] : []));
}

function certificateName(listen: readonly ListenAddress[]): CertificateName | undefined {
  const [host] = hostsOf(listen).map(connectable);
  return host === undefined ? undefined : { type: isIpAddress(host) ? "IP_ADDRESS" : "DNS", value: host };
}

function clusterType(hosts: readonly string[]): string {
  return hosts.map(connectable).every(isIpAddress) ? "type: STATIC" : "type: STRICT_DNS\n  dns_lookup_family: V4_PREFERRED";
}

function isIpAddress(host: string): boolean {
  return host.includes(":") || /^\d+(?:\.\d+){3}$/.test(host);
}

/** A name for this machine, and addresses that mean all of this machine's, as an address to connect to. */
function connectable(host: string): string {
  if (host === "localhost" || host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}

function addressOf(address: ListenAddress): string {
  return address.kind === "unix" ? `{ pipe: { path: ${quoted(address.path)} } }` : socketAddress(address);
}

function socketAddress({ host, port }: Endpoint): string {
  return `{ socket_address: { address: ${quoted(connectable(host))}, port_value: ${port} } }`;
}

function remark(address: ListenAddress): string {
  return address.kind === "tcp" && address.port === 0
    ? "          # The settings ask for any free port: write here which one it became.\n"
    : "";
}
