/** A bootstrap whose listener, routes, ext_proc filter and clusters come from files, as a control plane would deliver them. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Data, dataAt, replaceAt, type Way, writeData } from "../../../scripts/processes/data.ts";
import { envoyPlaces } from "../../../scripts/processes/envoy-bootstrap.ts";
import { byRename } from "../../support/replace-file.ts";

export interface Parts {
  readonly bootstrap: Data;
  /** Delivers a listener that Envoy must refuse: one whose filter does not exist. */
  deliverBadListener(): Promise<void>;
}

export function inParts(whole: Data, parent: string): Parts {
  const folder = mkdtempSync(join(parent, "parts-"));
  const source = (name: string) => ({ resource_api_version: "V3", path_config_source: { path: join(folder, name) } });
  const write = (name: string, type: string, resources: readonly Data[]): void =>
    writeFileSync(join(folder, name), delivery(type, resources));
  const listenerWay: Way = ["static_resources", "listeners", 0];
  const { extProc, connectionManager } = envoyPlaces;

  write("filter.yaml", "config.core.v3.TypedExtensionConfig", [
    { name: "envoy.filters.http.ext_proc", typed_config: dataAt(whole, extProc) },
  ]);
  write("routes.yaml", "config.route.v3.RouteConfiguration", [dataAt(whole, [...connectionManager, "route_config"])]);
  write(
    "clusters.yaml",
    "config.cluster.v3.Cluster",
    ["upstream", "policy_engine"].map((name) => dataAt(whole, ["static_resources", "clusters", { name }])),
  );
  const discovered = {
    name: "envoy.filters.http.ext_proc",
    config_discovery: {
      config_source: source("filter.yaml"),
      type_urls: ["type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor"],
    },
  };
  const elsewhere = [
    [extProc.slice(0, -1), discovered],
    [[...connectionManager, "route_config"], null],
    [[...connectionManager, "rds"], { route_config_name: "routes", config_source: source("routes.yaml") }],
  ] as const satisfies readonly (readonly [Way, Data])[];
  const listener = dataAt(
    elsewhere.reduce((data: Data, [way, value]) => replaceAt(data, way, value), whole),
    listenerWay,
  );
  write("listeners.yaml", "config.listener.v3.Listener", [listener]);
  const dynamic = { lds_config: source("listeners.yaml"), cds_config: source("clusters.yaml") };
  const rest = replaceAt(replaceAt(whole, ["static_resources"], {}), ["dynamic_resources"], dynamic);
  const bad = replaceAt(listener, ["filter_chains"], [{ filters: [{ name: "nobody.knows" }] }]);
  return {
    bootstrap: replaceAt(rest, ["node"], { id: "doctor", cluster: "tests" }),
    deliverBadListener: () => byRename(join(folder, "listeners.yaml"), delivery("config.listener.v3.Listener", [bad])),
  };
}

function delivery(type: string, resources: readonly Data[]): string {
  return writeData({ resources: resources.map((one) => replaceAt(one, ["@type"], `type.googleapis.com/envoy.${type}`)) });
}
