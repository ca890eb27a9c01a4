import { type Data, replaceAt, type Way } from "./data.ts";

/** Where an Envoy listens and finds the others. */
export interface EnvoyAddresses {
  readonly listener: TcpAddress;
  readonly admin: TcpAddress;
  readonly upstream: TcpAddress;
  /** One for each engine. */
  readonly engines: readonly EngineAddress[];
}

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

export type EngineAddress = TcpAddress | { readonly socket: string };

const listener: Way = ["static_resources", "listeners", { name: "ingress" }];
const connectionManager: Way = [
  ...listener,
  "filter_chains",
  0,
  "filters",
  { name: "envoy.filters.network.http_connection_manager" },
  "typed_config",
];
/** A cluster by its name. */
export function clusterPlace(name: "upstream" | "policy_engine"): Way {
  return ["static_resources", "clusters", { name }];
}

/** Places in `configs/demo/envoy.yaml` that somebody may want otherwise. */
export const envoyPlaces = {
  connectionManager,
  routes: [...connectionManager, "route_config", "virtual_hosts", 0, "routes"],
  extProc: [...connectionManager, "http_filters", { name: "envoy.filters.http.ext_proc" }, "typed_config"],
  healthChecks: [...clusterPlace("policy_engine"), "health_checks"],
} as const satisfies Record<string, Way>;

/** `configs/demo/envoy.yaml` with other addresses. */
export function moveEnvoy(bootstrap: Data, { listener: ingress, admin, upstream, engines }: EnvoyAddresses): Data {
  const places: readonly (readonly [Way, Data])[] = [
    [["admin", "address"], addressData(admin)],
    [[...listener, "address"], addressData(ingress)],
    [[...clusterPlace("upstream"), "load_assignment", "endpoints"], endpoints([upstream])],
    [[...clusterPlace("policy_engine"), "load_assignment", "endpoints"], endpoints(engines)],
  ];
  return places.reduce((data, [way, value]) => replaceAt(data, way, value), bootstrap);
}

function endpoints(addresses: readonly EngineAddress[]): Data {
  return [{ lb_endpoints: addresses.map((address) => ({ endpoint: { address: addressData(address) } })) }];
}

function addressData(address: EngineAddress): Data {
  if ("socket" in address) return { pipe: { path: address.socket } };
  return { socket_address: { address: address.host, port_value: address.port } };
}
