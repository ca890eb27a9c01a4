/** One route for each name that the configuration knows. */
import { chainOf, type EnvoyDemands } from "./demands.ts";
import { routeMode } from "./processing-mode.ts";
import { quoted } from "./yaml-text.ts";

export function printRoutes(demands: EnvoyDemands): string {
  const names = [...demands.routes.keys()];
  const prefixes = uniquePrefixes(names);
  const routes = names.map((name, index) => printRoute(name, `path_separated_prefix: ${prefixes[index]}`, demands));
  const all = [...routes, ...printRest(demands)];
  const head = "# Every route has a name: it selects the chain. What a route matches is yours to write.\n";
  return all.length === 0 ? `${head}routes: []` : `${head}routes:\n${all.join("\n")}`;
}

/** Without `unmatched: deny` there is something to do for requests of other routes. */
function printRest(demands: EnvoyDemands): readonly string[] {
  if (demands.unmatched.kind === "deny") return [];
  let name = "any-other-route";
  while (demands.routes.has(name)) name += "-";
  return [printRoute(name, "prefix: /", demands)];
}

function printRoute(name: string, match: string, demands: EnvoyDemands): string {
  return `  # ${meaningOf(name, demands)}
  - name: ${quoted(name)}
    match: { ${match} }
    route: { cluster: upstream }${printModes(name, demands)}`;
}

function meaningOf(name: string, { routes, unmatched }: EnvoyDemands): string {
  if (routes.has(name)) {
    const chain = routes.get(name);
    return chain === undefined ? "No chain, said aloud." : `Chain ${chain}.`;
  }
  return unmatched.kind === "chain"
    ? `No route of the configuration: \`unmatched\` is the chain ${unmatched.chain}.`
    : "No route of the configuration: `unmatched: pass` lets it through, and no policy runs.";
}

/** Written here and not asked for by overrides: where Envoy ignores one, a body would pass unread. */
function printModes(name: string, demands: EnvoyDemands): string {
  const chain = chainOf(demands, name, undefined);
  const mode = chain && routeMode(chain.needs, demands.settings.envoy);
  if (mode === undefined) return "";
  const streams = Object.values(mode).includes("FULL_DUPLEX_STREAMED")
    ? "\n          # In pieces, each way: Envoy has no message timeout there, the engine's own deadlines hold."
    : "";
  return `
    typed_per_filter_config:
      envoy.filters.http.ext_proc:
        "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute
        overrides:
          # The chain reads a body. Its trailers must come too: with trailers and no data Envoy would ask nobody.${streams}
          processing_mode:
${Object.entries(mode)
  .map(([key, value]) => `            ${key}: ${value}`)
  .join("\n")}`;
}

/** A path of one segment for each name, all different: none of them takes the requests of another. */
function uniquePrefixes(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const base = name.replace(/[^\w~-]+/g, "-").replace(/^-+|-+$/g, "") || "route";
    let prefix = base;
    for (let count = 2; taken.has(prefix); count += 1) prefix = `${base}-${count}`;
    taken.add(prefix);
    return `/${prefix}`;
  });
}
