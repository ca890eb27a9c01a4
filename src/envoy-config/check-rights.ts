/** What Envoy lets the engine change. */
import type { Place } from "../config/node.ts";
import { at, atKey } from "../config/read.ts";
import { problem } from "../errors.ts";
import type { CheckContext } from "./check-context.ts";
import { mutationsThatNeedRights } from "./demands.ts";
import { field, isTrue } from "./field.ts";
import { whereOf } from "./where.ts";

export function checkMutationRules(config: Place, { demands, report }: CheckContext): void {
  const rules = field(config, "mutation_rules");
  const owner = rules ?? config;
  const isError = field(rules, "disallow_is_error");
  if (!isTrue(isError)) report(problem("envoy-mutation-silent", whereOf(isError, owner), {}));

  const movers = [...demands.chains].flatMap(([chain, one]) => mutationsThatNeedRights(one).map((mutation) => ({ chain, mutation })));
  const routing = field(rules, "allow_all_routing");
  const [first] = movers;
  if (first !== undefined && !isTrue(routing)) report(problem("envoy-routing-refused", whereOf(routing, owner), first));
  if (first === undefined && routing !== undefined && isTrue(routing)) report(problem("envoy-routing-unused", at(routing), {}));

  for (const key of ["disallow_all", "disallow_system"]) {
    const place = field(rules, key);
    if (place !== undefined && isTrue(place)) report(problem("envoy-mutation-refused", atKey(place), { key }));
  }
}
