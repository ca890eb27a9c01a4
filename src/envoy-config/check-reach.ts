import { atKey } from "../config/read.ts";
import { problem } from "../errors.ts";
import type { CheckContext, RouteTable } from "./check-context.ts";
import type { EnvoyDemands } from "./demands.ts";

/** Chains that no route of this Envoy reaches; silent when some routes could not be seen. */
export function checkReach(tables: readonly RouteTable[], { demands, report }: CheckContext): void {
  const [first] = tables;
  if (first?.place === undefined || tables.some(({ place }) => place === undefined)) return;
  const names = new Set(tables.flatMap(({ routes }) => routes.map(({ name }) => name)));
  const named = new Set(tables.flatMap(({ routes }) => routes.map(({ ownChain }) => ownChain)));
  for (const chain of demands.chains.keys()) {
    const routes = routesTo(chain, demands);
    const reached = named.has(chain) || routes.some((route) => names.has(route));
    const isFallback = demands.unmatched.kind === "chain" && demands.unmatched.chain === chain;
    if (!reached && !isFallback) report(problem("envoy-chain-unreached", atKey(first.place), { chain, routes }));
  }
}

function routesTo(chain: string, { routes }: EnvoyDemands): readonly string[] {
  return [...routes].filter(([, target]) => target === chain).map(([name]) => name);
}
