/** A complete configuration of Envoy 1.36 that fits settings and chains, as YAML with a comment on each line that matters. */

import { engineNamespace } from "../kernel/route-identity.ts";
import type { EnvoyDemands } from "./demands.ts";
import { type Endpoint, printClusters } from "./print-clusters.ts";
import { printFilter } from "./print-filter.ts";
import { printRoutes } from "./print-routes.ts";
import { indented } from "./yaml-text.ts";

export interface PrintOptions {
  /** Where the requests go that are let through. */
  readonly upstream: Endpoint;
}

/** Envoy's own buffers hold a little more than the engine's limit, so that it is the engine that says 413. */
const bufferMarginBytes = 64 * 1024;
/**
 * What Envoy holds of a connection where bodies only pass. A body in pieces comes in messages of up to this size, and the engine holds
 * each of them (measured: 10 MiB at a time with a limit of 10 MiB).
 */
const passingBytesMax = 256 * 1024;

/** Never throws. */
export function printEnvoy(demands: EnvoyDemands, { upstream }: PrintOptions): string {
  const buffer = bufferLimit(demands);
  return `# Envoy 1.36 in front of the policy engine, as \`policy-engine envoy\` prints it for its settings and its configuration.
# Yours to edit: the ports, the upstream, and which requests a route matches. \`policy-engine envoy --check\` reads what you made of it.
admin:
  # No password: for this machine only.
  address: { socket_address: { address: 127.0.0.1, port_value: 9901 } }

overload_manager:
  resource_monitors:
    # Without a limit Envoy warns at start.
    - name: envoy.resource_monitors.global_downstream_max_connections
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig
        max_active_downstream_connections: 50000

static_resources:
  listeners:
    - name: ingress
      address: { socket_address: { address: 127.0.0.1, port_value: 10000 } }
      # ${buffer.reason}
      per_connection_buffer_limit_bytes: ${buffer.limit}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: ingress
                # What a request over HTTP/2 may hold is this, and not the listener's limit.
                http2_protocol_options: { initial_stream_window_size: ${buffer.limit} }
                # The policies must judge the same path that the routes matched and the upstream will see.
                normalize_path: true
                merge_slashes: true
                path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT
                # Some upstreams read x_user as x-user.
                common_http_protocol_options: { headers_with_underscores_action: REJECT_REQUEST }
                # Ends what hangs where nobody else has a timer.
                stream_idle_timeout: 300s
                request_headers_timeout: 10s
                access_log:
                  - name: envoy.access_loggers.stdout
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
                      log_format:
                        text_format_source:
                          # DETAILS names the cause of an ext_proc failure; \`ext_proc=bs:0,br:0\`: the engine was never asked.
                          # The path without the query, which may hold a key.
                          inline_string: >
                            %START_TIME% %REQ(:METHOD)% %PATH(NQ)% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% route=%ROUTE_NAME%
                            ext_proc=%FILTER_STATE(envoy.filters.http.ext_proc:PLAIN)%
${indented(loggedMetadata(demands), 28)}                route_config:
                  name: routes
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
${indented(printRoutes(demands), 22)}
                http_filters:
                  # Before every filter that trusts a header which a policy sets.
${indented(printFilter(demands), 18)}
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router

  clusters:
${indented(printClusters(demands.settings, upstream), 4)}
`;
}

function bufferLimit({ settings, chains }: EnvoyDemands): { readonly limit: number; readonly reason: string } {
  const uses = [...chains.values()].flatMap(({ needs: { requestBody, responseBody } }) => [requestBody, responseBody]);
  return uses.includes("streamed") && !uses.includes("buffered")
    ? { limit: passingBytesMax, reason: "Bodies only pass in pieces: this is how much of one is under way to the engine at a time." }
    : {
        limit: settings.envoy.bodyBytesMax + bufferMarginBytes,
        reason: "The largest body (settings `bodyBytesMax`) + 64 KiB. A body that Envoy holds for the engine must fit: more is a 413.",
      };
}

/** As a whole, which Envoy writes as JSON: a single text goes into such a line as it is, with line feeds of a caller's choice. */
function loggedMetadata({ settings: { envoy } }: EnvoyDemands): string {
  return envoy.metadata === undefined ? "" : `policy=%DYNAMIC_METADATA(${engineNamespace})%\n`;
}
