/**
 * How exchanges ended, by route and chain. What a client or Envoy says never becomes a label: a name that the configuration in use does not have
 * is counted under the empty name, and a name that goes out of use takes its series with it. So there are at most as many series as the
 * configuration has routes and chains, times the outcomes.
 */
import type { MetricFamily } from "./metrics.ts";

/** The configuration in use, as far as labels need it. */
export interface InUse {
  readonly config: { readonly routes: Names };
  readonly chains: Names;
}

interface Names {
  has(name: string): boolean;
}

export interface RouteCounters<Outcome extends string> {
  /** @param chain undefined where none was found, or the route has none */
  count(route: string, chain: string | undefined, outcome: Outcome): void;
  families(): readonly MetricFamily[];
}

/**
 * @param outcomes all there are: a route that has had an exchange has a series for each, so that a first failure is seen as a rise from 0
 * @param current the same object as long as the names are the same; undefined before there is a configuration
 */
export function createRouteCounters<Outcome extends string>(
  outcomes: readonly Outcome[],
  current: () => InUse | undefined,
): RouteCounters<Outcome> {
  const byRoute = new Map<string, Map<string, Float64Array>>();
  let inUse: InUse | undefined;

  const follow = (): void => {
    const now = current();
    if (now === inUse) return;
    inUse = now;
    for (const [route, chains] of byRoute) {
      if (!isKnown(route, inUse?.config.routes)) byRoute.delete(route);
      for (const chain of chains.keys()) if (!isKnown(chain, inUse?.chains)) chains.delete(chain);
    }
  };

  return {
    count(route, chain, outcome) {
      follow();
      const counts = entry(
        entry(byRoute, shown(route, inUse?.config.routes), () => new Map()),
        shown(chain ?? "", inUse?.chains),
        () => new Float64Array(outcomes.length),
      );
      const at = outcomes.indexOf(outcome);
      counts[at] = (counts[at] ?? 0) + 1;
    },
    families() {
      follow();
      const samples = [...byRoute].flatMap(([route, chains]) =>
        [...chains].flatMap(([chain, counts]) =>
          outcomes.map((outcome, at) => ({ labels: { route, chain, outcome }, value: counts[at] ?? 0 })),
        ),
      );
      const help = "Exchanges that have ended, by route, chain and how; an empty route is none of the configuration's.";
      return [{ name: "policy_engine_route_exchanges_total", help, type: "counter", samples }];
    },
  };
}

function isKnown(name: string, names: Names | undefined): boolean {
  return name === "" || names?.has(name) === true;
}

function shown(name: string, names: Names | undefined): string {
  return isKnown(name, names) ? name : "";
}

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
