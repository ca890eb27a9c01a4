import { atKey } from "../config/read.ts";
import { problem } from "../errors.ts";
import type { CheckContext } from "./check-context.ts";
import type { EnvoyDemands } from "./demands.ts";
import type { RouteTable } from "./routes.ts";

/** Chains that no route of this Envoy reaches; silent when some routes could not be seen (undefined). */
export function checkReach(tables: readonly (RouteTable | undefined)[], { demands, report }: CheckContext): void {
  const seen = tables.filter((table): table is RouteTable => table?.elsewhere.length === 0);
  const [first] = seen;
  if (first === undefined || seen.length < tables.length) return;
  const routes = seen.flatMap((table) => table.routes);
  const names = new Set(routes.map(({ name }) => name));
  const named = new Set(routes.map(({ ownChain }) => ownChain));
  for (const chain of demands.chains.keys()) {
    const own = routesTo(chain, demands);
    const reached = named.has(chain) || own.some((route) => names.has(route));
    const isFallback = demands.unmatched.kind === "chain" && demands.unmatched.chain === chain;
    if (!reached && !isFallback) report(problem("envoy-chain-unreached", atKey(first.place), { chain, routes: own }));
  }
}

function routesTo(chain: string, { routes }: EnvoyDemands): readonly string[] {
  return [...routes].filter(([, target]) => target === chain).map(([name]) => name);
}
