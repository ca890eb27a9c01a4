import { atKey } from "../config/read.ts";
import { problem } from "../errors.ts";
import { suggest } from "../suggest.ts";
import type { CheckContext } from "./check-context.ts";
import type { EnvoyDemands } from "./demands.ts";
import type { RouteTable } from "./routes.ts";

/** Chains and routes of the configuration that this Envoy does not have; silent when some routes could not be seen (undefined). */
export function checkReach(tables: readonly (RouteTable | undefined)[], { demands, parts, report }: CheckContext): void {
  const seen = tables.filter((table): table is RouteTable => table?.elsewhere.length === 0);
  const [first] = seen;
  if (first === undefined || seen.length < tables.length) return;
  const { place } = first;
  const routes = seen.flatMap((table) => table.routes);
  const names = new Set(routes.map(({ name }) => name));
  const named = new Set(routes.map(({ ownChain }) => ownChain));
  for (const chain of demands.chains.keys()) {
    const own = routesTo(chain, demands);
    const reached = named.has(chain) || own.some((route) => names.has(route));
    const isFallback = demands.unmatched.kind === "chain" && demands.unmatched.chain === chain;
    if (reached || isFallback) checkMissing(own);
    else report(problem("envoy-chain-unreached", atKey(place), { chain, routes: own }));
  }
  checkMissing([...demands.routes].filter(([, chain]) => chain === undefined).map(([route]) => route));

  /** A part alone does not say what the other parts have, and a name that is taken for another one was reported where it is written. */
  function checkMissing(wanted: readonly string[]): void {
    if (parts.bootstrap === undefined) return;
    const meant = new Set([...names].filter((name) => !demands.routes.has(name)).map((name) => suggest(name, demands.routes.keys())));
    for (const route of wanted.filter((name) => !names.has(name) && !meant.has(name))) {
      report(problem("envoy-route-missing", atKey(place), { route }));
    }
  }
}

function routesTo(chain: string, { routes }: EnvoyDemands): readonly string[] {
  return [...routes].filter(([, target]) => target === chain).map(([name]) => name);
}
