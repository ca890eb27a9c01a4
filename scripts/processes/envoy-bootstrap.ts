import { type Data, replaceAt, type Way } from "./data.ts";

/** Where an Envoy listens and finds the others. */
export interface EnvoyAddresses {
  readonly port: number;
  readonly adminPort: number;
  readonly upstreamPort: number;
  /** One for each engine. */
  readonly engines: readonly EngineAddress[];
}

export type EngineAddress = { readonly kind: "unix"; readonly path: string } | { readonly kind: "tcp"; readonly port: number };

const listener: Way = ["static_resources", "listeners", { name: "ingress" }];
const connectionManager: Way = [...listener, "filter_chains", 0, "filters", { name: "envoy.filters.network.http_connection_manager" }, "typed_config"];
const cluster = (name: string): Way => ["static_resources", "clusters", { name }];

/** Places in `configs/demo/envoy.yaml` that somebody may want otherwise. */
export const envoyPlaces = {
  routes: [...connectionManager, "route_config", "virtual_hosts", 0, "routes"],
  extProc: [...connectionManager, "http_filters", { name: "envoy.filters.http.ext_proc" }, "typed_config"],
  runtime: ["layered_runtime", "layers", { name: "static" }, "static_layer"],
  healthCheck: [...cluster("policy_engine"), "health_checks", 0],
} as const satisfies Record<string, Way>;

/** `configs/demo/envoy.yaml` with other addresses. */
export function moveEnvoy(bootstrap: Data, { port, adminPort, upstreamPort, engines }: EnvoyAddresses): Data {
  const places: readonly (readonly [Way, Data])[] = [
    [["admin", "address"], tcp(adminPort)],
    [[...listener, "address"], tcp(port)],
    [[...cluster("upstream"), "load_assignment", "endpoints"], endpoints([tcp(upstreamPort)])],
    [[...cluster("policy_engine"), "load_assignment", "endpoints"], endpoints(engines.map(engineAddress))],
  ];
  return places.reduce((data, [way, value]) => replaceAt(data, way, value), bootstrap);
}

function engineAddress(address: EngineAddress): Data {
  return address.kind === "unix" ? { pipe: { path: address.path } } : tcp(address.port);
}

function tcp(port: number): Data {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}

function endpoints(addresses: readonly Data[]): Data {
  return [{ lb_endpoints: addresses.map((address) => ({ endpoint: { address } })) }];
}
