/** One Envoy for everybody: a listener for each contender, so that all are measured behind the same process and differ in the filter alone. */
import { type Data, dataAt, readData, replaceAt, type Way, writeData } from "../../../scripts/processes/data.ts";
import { clusterPlace, envoyPlaces, moveEnvoy } from "../../../scripts/processes/envoy-bootstrap.ts";
import { printEnvoy } from "../../../src/envoy-config/print.ts";
import { policies } from "../../../src/generated/registry.ts";
import { demandsOf } from "../../config/envoy/support.ts";
import { chainConfig } from "./chains.ts";
import type { NoOpModes, Processor, Transport } from "./contenders.ts";

/** What Envoy needs to know of a contender. */
export interface Site {
  readonly processor: Processor;
  readonly port: number;
  /** Of the processor; nobody listens there when nobody is asked. */
  readonly socket: string;
}

export interface SharedPorts {
  readonly admin: number;
  readonly upstream: number;
}

export async function benchBootstrap(sites: readonly Site[], { admin, upstream }: SharedPorts): Promise<Data> {
  const own = await Promise.all(
    sites.map(async ({ processor, port, socket }, index) => {
      const bootstrap = moveEnvoy(forBench(await printedFor(processor)), {
        listener: { host: "127.0.0.1", port },
        admin: { host: "127.0.0.1", port: admin },
        upstream: { host: "127.0.0.1", port: upstream },
        engines: [{ socket }],
      });
      const name = `site-${index}`;
      return renamed(withFilter(bootstrap, processor, name), name);
    }),
  );
  const [first] = own;
  if (first === undefined) throw new RangeError("there is nobody to measure");
  return replaceAt(first.bootstrap, ["static_resources"], {
    listeners: own.map(({ listener }) => listener),
    clusters: [dataAt(first.bootstrap, clusterPlace("upstream")), ...own.map(({ cluster }) => cluster)],
  });
}

/** Settings of an engine at this socket, but for where its configuration comes from. */
export function engineSettings(socket: string, transport: Transport): { readonly [key: string]: Data } {
  return {
    version: 1,
    listen: [`unix:${socket}`],
    transport,
    envoy: { allowModeOverride: true },
    // Envoy ends before the engine: there is nobody to wait for.
    shutdown: { drainDelay: "0s", grace: "5s" },
  };
}

/** What `policy-engine envoy` prints for an engine. A no-op and nobody get what is printed for one policy, that is, for the same work. */
async function printedFor(processor: Processor): Promise<Data> {
  const [chain, routes] = processor.kind === "engine" ? [processor.chain, processor.routes] : ["one" as const, 1];
  const settings = { ...engineSettings("/nowhere", "grpc-js"), providers: [{ file: { paths: ["policies.yaml"] } }] };
  const demands = await demandsOf(writeData(settings), chainConfig(chain, routes), policies);
  return readData(printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 1 } }));
}

/** Without what costs and is everybody's own: a line of the access log for each request. With room for all that is open at once. */
function forBench(printed: Data): Data {
  const edits: readonly (readonly [Way, Data])[] = [
    [[...envoyPlaces.connectionManager, "access_log"], []],
    [
      [...clusterPlace("upstream"), "circuit_breakers"],
      { thresholds: [{ max_connections: 100_000, max_requests: 100_000, max_pending_requests: 100_000 }] },
    ],
  ];
  return edits.reduce((data, [way, value]) => replaceAt(data, way, value), printed);
}

interface OwnResources {
  readonly bootstrap: Data;
  readonly listener: Data;
  readonly cluster: Data;
}

/** The listener and the cluster of one site, with names of their own. */
function renamed(bootstrap: Data, name: string): OwnResources {
  return {
    bootstrap,
    listener: replaceAt(dataAt(bootstrap, ["static_resources", "listeners", 0]), ["name"], name),
    cluster: replaceAt(dataAt(bootstrap, clusterPlace("policy_engine")), ["name"], name),
  };
}

const filters: Way = [...envoyPlaces.connectionManager, "http_filters"];

function withFilter(bootstrap: Data, processor: Processor, cluster: string): Data {
  const asking = (): Data => replaceAt(bootstrap, [...envoyPlaces.extProc, "grpc_service", "envoy_grpc", "cluster_name"], cluster);
  switch (processor.kind) {
    case "engine":
      return asking();
    case "no-op": {
      const own = replaceAt(asking(), [...envoyPlaces.extProc, "processing_mode"], modes[processor.modes]);
      // It has no health service.
      return replaceAt(own, envoyPlaces.healthChecks, []);
    }
    case "nobody": {
      const router = dataAt(bootstrap, [...filters, { name: "envoy.filters.http.router" }]);
      const before: readonly Data[] = processor.filter === "none" ? [] : [headerMutation];
      return replaceAt(replaceAt(bootstrap, filters, [...before, router]), envoyPlaces.healthChecks, []);
    }
  }
}

const headersOnly = {
  request_header_mode: "SEND",
  response_header_mode: "SKIP",
  request_body_mode: "NONE",
  response_body_mode: "NONE",
  request_trailer_mode: "SKIP",
  response_trailer_mode: "SKIP",
};

const modes: Readonly<Record<NoOpModes, Data>> = {
  "request-headers": headersOnly,
  "both-headers": { ...headersOnly, response_header_mode: "SEND" },
  buffered: { ...headersOnly, request_body_mode: "BUFFERED", request_trailer_mode: "SEND" },
};

const headerMutation: Data = {
  name: "envoy.filters.http.header_mutation",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
    mutations: { request_mutations: [append("x-bench-a", "alpha"), append("x-bench-route", "%ROUTE_NAME%")] },
  },
};

function append(key: string, value: string): Data {
  return { append: { header: { key, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" } };
}
