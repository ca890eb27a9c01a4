import { visibleText } from "../config/visible-text.ts";
import type { Diagnosis } from "./diagnose.ts";
import type { Finding } from "./finding.ts";

const pathsShownMax = 3;

/** For people: what was seen, then what is wrong, the worst first. Ends with a line feed. */
export function formatDiagnosis({ envoy, engines, traffic, findings }: Diagnosis): string {
  const seen = [
    `Envoy ${envoy.version}, ${envoy.state}`,
    ...engines.map(({ port, ready, generation }) => {
      const runs = generation === undefined ? "no configuration" : `generation ${generation.number}`;
      return `engine ${port.host}, ${ready ? "ready" : "not ready"}, ${runs}`;
    }),
    ...traffic.map(
      ({ entrance, requests, asked }) => `${entrance}: ${requests} request${requests === 1 ? "" : "s"}, the engine asked about ${asked}`,
    ),
  ];
  return [...seen.map(visibleText), ...findings.map(formatFinding)].map((text) => `${text}\n`).join("");
}

/**
 * ```
 * http://127.0.0.1:9901/config_dump: error[envoy-operator] the operator ...
 *   at configs[2].static_listeners[0].listener...
 *   help: use only ...
 * ```
 */
export function formatFinding({ code, severity, message, remedy, source, paths }: Finding): string {
  const lines = [`${source}: ${severity}[${code}] ${message}`, ...paths.slice(0, pathsShownMax).map((path) => `  at ${path}`)];
  if (paths.length > pathsShownMax) lines.push(`  and in ${paths.length - pathsShownMax} more places`);
  lines.push(`  help: ${remedy}`);
  return lines.map(visibleText).join("\n");
}
