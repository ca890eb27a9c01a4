/** The cluster of the engines. */
import { addressText, type ListenAddress } from "../config/addresses.ts";
import type { Place } from "../config/node.ts";
import { durationText } from "../config/quantities.ts";
import { at, atKey, type Report } from "../config/read.ts";
import { workerAddress } from "../config/workers.ts";
import { problem } from "../errors.ts";
import { suggest } from "../suggest.ts";
import type { CheckContext } from "./check-context.ts";
import { checkClusterTls } from "./check-tls.ts";
import type { EnvoySettings } from "./demands.ts";
import { choice, durationMs, field, items, number, text } from "./field.ts";
import { whereOf } from "./where.ts";

export function checkEngineCluster(service: Place, context: CheckContext): void {
  const { demands, parts, report } = context;
  const reference = field(service, "envoy_grpc", "cluster_name");
  const name = text(reference);
  if (reference === undefined || name === undefined) return;
  const names = parts.clusters.map((one) => text(field(one, "name")) ?? "");
  const cluster = parts.clusters[names.indexOf(name)];
  if (cluster === undefined) {
    const elsewhere = parts.bootstrap === undefined || parts.dynamic.clusters !== undefined;
    if (elsewhere) report(problem("envoy-unseen", at(reference), { what: `the cluster \`${name}\`` }));
    else report(problem("envoy-cluster-unknown", at(reference), { cluster: name, suggestion: suggest(name, names) }));
    return;
  }
  checkProtocol(cluster, report);
  checkClusterTls(cluster, context);
  checkBreakers(cluster, report);
  checkPanic(cluster, report);
  checkWorkers(cluster, demands.settings, report);
  checkHealth(cluster, demands.settings.shutdown.drainDelayMs, report);
}

const protocolOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

function checkProtocol(cluster: Place, report: Report): void {
  const options = field(cluster, "typed_extension_protocol_options", protocolOptions);
  const speaksHttp2 =
    field(cluster, "http2_protocol_options") ??
    field(options, "explicit_http_config", "http2_protocol_options") ??
    field(options, "auto_config") ??
    field(options, "use_downstream_protocol_config", "http2_protocol_options");
  if (speaksHttp2 === undefined) report(problem("envoy-cluster-protocol", atKey(options ?? cluster), {}));
}

/** Envoy's own limits; a cluster that keeps one has not thought of it. */
const breakerDefaults = { max_connections: 1024, max_pending_requests: 1024, max_requests: 1024, max_retries: 3 } as const;

function checkBreakers(cluster: Place, report: Report): void {
  const breakers = field(cluster, "circuit_breakers");
  const thresholds = items(field(breakers, "thresholds")).find((one) => choice(field(one, "priority"), ["DEFAULT", "HIGH"]) === "DEFAULT");
  const low = Object.entries(breakerDefaults).filter(([key, value]) => (number(field(thresholds, key)) ?? value) <= value);
  if (low.length === 0) return;
  const breaker = low.map(([key]) => key);
  report(problem("envoy-breakers", atKey(thresholds ?? breakers ?? cluster), { breakers: breaker }));
}

function checkPanic(cluster: Place, report: Report): void {
  const place = field(cluster, "common_lb_config", "healthy_panic_threshold");
  if (place === undefined || (number(field(place, "value")) ?? 0) > 0) report(problem("envoy-panic", whereOf(place, cluster), {}));
}

/**
 * Each worker must be an endpoint, and the one with the fewest requests be asked: streams live as long as their upstreams, so that taking turns
 * loads one and leaves another idle. An endpoint is known by its port or the name of its socket, for Envoy may see other hosts and folders.
 */
function checkWorkers(cluster: Place, { listen, workers }: EnvoySettings, report: Report): void {
  if (workers === 1) return;
  const policy = field(cluster, "lb_policy");
  if (choice(policy, ["ROUND_ROBIN", "LEAST_REQUEST"]) !== "LEAST_REQUEST") {
    report(problem("envoy-workers", whereOf(policy, cluster), { detail: "requests are not sent to the worker that has the fewest" }));
  }
  const assignment = field(cluster, "load_assignment");
  if (assignment === undefined) return;
  const known = new Set(
    items(field(assignment, "endpoints"))
      .flatMap((one) => items(field(one, "lb_endpoints")))
      .flatMap((one) => endpointName(field(one, "endpoint", "address")) ?? []),
  );
  const missing = Array.from({ length: workers }, (_, index) => listen.map((address) => workerAddress(address, index))).filter(
    (addresses) => !addresses.some((address) => isFreePort(address) || known.has(nameOf(address))),
  );
  if (missing.length === 0) return;
  const shown = missing.map((addresses) => addresses.map((address) => `\`${addressText(address)}\``).join(" or ")).slice(0, 8);
  const detail = `${missing.length} of ${workers} workers are no endpoints: ${shown.join(", ")}`;
  report(problem("envoy-workers", atKey(assignment), { detail }));
}

const isFreePort = (address: ListenAddress): boolean => address.kind === "tcp" && address.port === 0;

const basename = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

function nameOf(address: ListenAddress): string {
  return address.kind === "unix" ? `unix ${basename(address.path)}` : `tcp ${address.port}`;
}

function endpointName(address: Place | undefined): string | undefined {
  const path = text(field(address, "pipe", "path"));
  if (path !== undefined) return `unix ${basename(path)}`;
  const port = number(field(address, "socket_address", "port_value"));
  return port === undefined ? undefined : `tcp ${port}`;
}

/** Beyond this, an engine that starts is noticed late, milliseconds. */
const noTrafficMaxMs = 10_000;
/** Nobody checks more often, milliseconds. */
const intervalMinMs = 100;

function checkHealth(cluster: Place, drainDelayMs: number, report: Report): void {
  const checks = field(cluster, "health_checks");
  const check = items(checks).find((one) => field(one, "grpc_health_check") !== undefined);
  if (check === undefined) {
    report(
      problem("envoy-health", atKey(checks ?? cluster), {
        detail: "there is no `grpc_health_check`: Envoy sends requests to an engine that stops or has no configuration",
      }),
    );
    return;
  }
  const interval = durationMs(field(check, "interval"));
  if (interval !== undefined && drainDelayMs > 0 && interval > Math.max(drainDelayMs, intervalMinMs)) {
    const detail = `the \`interval\` is longer than the settings' \`drainDelay\`, ${durationText(drainDelayMs)}: an engine has stopped before Envoy notices`;
    report(problem("envoy-health", atKey(field(check, "interval") ?? check), { detail }));
  }
  const idle = field(check, "no_traffic_interval");
  if ((durationMs(idle) ?? 60_000) > noTrafficMaxMs) {
    const detail =
      "until the first request the `no_traffic_interval` counts, 60 s by default: an engine that starts after Envoy has to wait";
    report(problem("envoy-health", atKey(idle ?? check), { detail }));
  }
}
