/** How Envoy says which route matched, and what else the chains read. */
import type { Place } from "../config/node.ts";
import { at, atKey, type Report } from "../config/read.ts";
import { type Problem, problem } from "../errors.ts";
import { chainAttribute, chainMetadata, routeAttribute, routeMetadata, routePrefix } from "../kernel/route-identity.ts";
import type { CheckContext } from "./check-context.ts";
import { field, items, text } from "./field.ts";
import { operatorFault } from "./operators.ts";

const routeValue = `${routePrefix}%ROUTE_NAME%`;
const chainValue = "%METADATA(ROUTE:policy.engine:chain)%";

/** The `initial_metadata` of a gRPC service. */
export function checkInitialMetadata(service: Place, { demands, report }: CheckContext): void {
  const metadata = field(service, "initial_metadata");
  checkOperators(metadata, report);
  if (demands.settings.envoy.identity === "attributes") return;
  checkEntry(routeMetadata, routeValue);
  checkEntry(chainMetadata, chainValue);

  function checkEntry(key: string, value: string): void {
    const written = entriesOf(metadata, key);
    const wrong = written.find((entry) => text(field(entry, "value")) !== value);
    if ((written.length > 0 && wrong === undefined) || operatorFault(text(field(wrong, "value")) ?? "") !== undefined) return;
    const facts = { entry: `{ key: ${key}, value: "${value}" }`, list: "initial_metadata" };
    report(problem("envoy-identity", atKey(wrong ?? metadata ?? service), facts));
  }
}

/** The `grpc_initial_metadata` of a route: it replaces entries of the same key. */
export function checkRouteMetadata(metadata: Place | undefined, route: string, { demands, report }: CheckContext): void {
  checkOperators(metadata, report);
  if (demands.settings.envoy.identity === "attributes") return;
  for (const entry of entriesOf(metadata, routeMetadata)) {
    const value = text(field(entry, "value"));
    if (value === routeValue || value === `${routePrefix}${route}` || operatorFault(value ?? "") !== undefined) continue;
    report(
      problem("envoy-identity", atKey(entry), {
        entry: `{ key: ${routeMetadata}, value: "${routeValue}" }`,
        list: "grpc_initial_metadata",
      }),
    );
  }
}

function checkOperators(metadata: Place | undefined, report: Report): void {
  for (const entry of items(metadata)) {
    const value = field(entry, "value");
    const fault = operatorFault(text(value) ?? "");
    if (fault !== undefined && value !== undefined) report(operatorProblem(fault, at(value)));
  }
}

function operatorProblem(fault: NonNullable<ReturnType<typeof operatorFault>>, where: ReturnType<typeof at>): Problem {
  return problem("envoy-operator", where, { operator: fault.kind === "unknown" ? fault.operator : undefined });
}

function entriesOf(metadata: Place | undefined, key: string): readonly Place[] {
  return items(metadata).filter((entry) => text(field(entry, "key"))?.toLowerCase() === key);
}

/** The `request_attributes` of the filter. */
export function checkAttributes(config: Place, { demands, report }: CheckContext): void {
  const list = field(config, "request_attributes");
  const asked = new Set(items(list).map(text));
  const where = atKey(list ?? config);
  if (demands.settings.envoy.identity !== "metadata") {
    for (const attribute of [routeAttribute, chainAttribute]) {
      if (!asked.has(attribute)) report(problem("envoy-identity", where, { entry: attribute, list: "request_attributes" }));
    }
  }
  const missing = new Map([...demands.chains.values()].toReversed().flatMap(({ attributes }) => [...attributes]));
  for (const [attribute, reader] of missing) {
    if (!asked.has(attribute) && (attribute !== chainAttribute || demands.settings.envoy.identity === "metadata")) {
      report(problem("envoy-attribute", where, { attribute, reader }));
    }
  }
}
