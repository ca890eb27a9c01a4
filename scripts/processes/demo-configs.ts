import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../cache.mjs";
import { type Data, replaceAt } from "./data.ts";
import type { EngineAddress } from "./envoy-bootstrap.ts";

/** The text of a file in `configs/demo`. */
export function demoConfig(name: "policies.yaml" | "settings.yaml" | "envoy.yaml"): Promise<string> {
  return readFile(join(root, "configs/demo", name), "utf8");
}

/** `configs/demo/settings.yaml` with other addresses and paths. */
export function moveSettings(settings: Data, address: EngineAddress, adminPort: number, policiesFile: string): Data {
  const places = [
    ["listen", ["socket" in address ? `unix:${address.socket}` : `tcp:${address.host}:${address.port}`]],
    ["admin", `tcp:127.0.0.1:${adminPort}`],
    ["providers", [{ file: { paths: [policiesFile] } }]],
    // Envoy ends before the engine: there is nobody to wait for.
    ["shutdown", { drainDelay: "0s", grace: "5s" }],
  ] as const;
  return places.reduce((data, [key, value]) => replaceAt(data, [key], value), settings);
}
