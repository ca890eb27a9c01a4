import type { GeneratedFile } from "../builder/generated-file.ts";
import { type Data, readData, replaceAt, type Way, writeData } from "./processes/data.ts";
import { demoConfig } from "./processes/demo-configs.ts";
import { clusterPlace, moveEnvoy } from "./processes/envoy-bootstrap.ts";

/** The demo's Envoy and settings for `docker-compose.yml`, where each process has a name and a network of its own. */
export async function generateComposeConfigs(): Promise<readonly GeneratedFile[]> {
  const envoy = moveEnvoy(readData(await demoConfig("envoy.yaml")), {
    listener: { host: "0.0.0.0", port: 10_000 },
    admin: { host: "127.0.0.1", port: 9_901 },
    upstream: { host: "upstream", port: 8_080 },
    engines: [{ host: "engine", port: 9_100 }],
  });
  // Addresses are looked up, and again when a container has come back with another one.
  const named = replaceAll(envoy, [
    [[...clusterPlace("upstream"), "type"], "STRICT_DNS"],
    [[...clusterPlace("policy_engine"), "type"], "STRICT_DNS"],
  ]);
  const settings = replaceAll(readData(await demoConfig("settings.yaml")), [
    [["listen"], ["tcp:0.0.0.0:9100"]],
    [["admin"], "tcp:0.0.0.0:9101"],
    [["providers"], [{ file: { paths: ["../demo/policies.yaml"] } }]],
  ]);
  return [generated("envoy.yaml", named), generated("settings.yaml", settings)];
}

function replaceAll(data: Data, places: readonly (readonly [Way, Data])[]): Data {
  return places.reduce((changed, [way, value]) => replaceAt(changed, way, value), data);
}

function generated(name: "envoy.yaml" | "settings.yaml", data: Data): GeneratedFile {
  const head = `# Generated from configs/demo/${name}, where the comments are, by \`npm run generate\`. Other addresses; else the same.\n`;
  return { path: `configs/compose/${name}`, text: `${head}${writeData(data)}` };
}
