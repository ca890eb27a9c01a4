/** The upstream: an Envoy of its own that answers at once and says what has arrived. It is quicker than any server written for this, and always there. */
import type { Data } from "../../../scripts/processes/data.ts";

export interface Arrived {
  readonly a: string;
  readonly route: string;
  readonly user: string;
  readonly owner: string;
  readonly name: string;
  readonly bodyBytes: number;
}

/** The line in the head of its answer. A header that has not arrived is an empty text. */
export function echoLine({ a, route, user, owner, name, bodyBytes }: Arrived): string {
  return `\r\nx-saw: ${["saw", a, route, user, owner, name, bodyBytes].join("|")}\r\n`;
}

const saw = ["x-bench-a", "x-bench-route", "x-user", "x-owner", "x-name"].map((name) => `%REQ(${name})%`).join("|");

/** A request with this header is answered so many milliseconds later. */
export const delayHeader = "x-envoy-fault-delay-request";

export function upstreamBootstrap({ port, adminPort }: { readonly port: number; readonly adminPort: number }): Data {
  return {
    admin: { address: loopback(adminPort) },
    static_resources: {
      listeners: [
        {
          name: "upstream",
          address: loopback(port),
          per_connection_buffer_limit_bytes: bodyBytesMax,
          filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: connectionManager }] }],
        },
      ],
    },
  };
}

const bodyBytesMax = 1024 * 1024;

const connectionManager: Data = {
  "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
  stat_prefix: "upstream",
  route_config: {
    virtual_hosts: [
      {
        name: "all",
        domains: ["*"],
        routes: [{ match: { prefix: "/" }, direct_response: { status: 200, body: { inline_string: "right\n" } } }],
        response_headers_to_add: [{ header: { key: "x-saw", value: `saw|${saw}|%BYTES_RECEIVED%` } }],
      },
    ],
  },
  http_filters: [
    {
      name: "envoy.filters.http.fault",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        delay: { header_delay: {}, percentage: { numerator: 100 } },
      },
    },
    // Answers when the whole body is there, so that it is counted.
    {
      name: "envoy.filters.http.buffer",
      typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer", max_request_bytes: bodyBytesMax },
    },
    {
      name: "envoy.filters.http.router",
      typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
    },
  ],
};

function loopback(port: number): Data {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}
