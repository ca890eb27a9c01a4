/** Which parts of an exchange Envoy sends, against what the settings promise and what each chain reads. */
import type { Place } from "../config/node.ts";
import { atKey } from "../config/read.ts";
import { problem } from "../errors.ts";
import { bodyMode } from "../kernel/body-mode.ts";
import type { CheckContext } from "./check-context.ts";
import { type ChainNeeds, chainOf } from "./demands.ts";
import type { EngineFilter } from "./engine-filter.ts";
import { choice, field, isTrue } from "./field.ts";
import { envoyBodyMode } from "./processing-mode.ts";
import type { FilteredRoute } from "./routes.ts";
import { whereOf } from "./where.ts";

const headerModes = ["DEFAULT", "SEND", "SKIP"] as const;
const bodyModes = ["NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED", "GRPC"] as const;
const directions = ["request", "response"] as const;

/** What a route without a chain needs. */
const nothing: ChainNeeds = { requestBody: "none", responseHeaders: false, responseBody: "none" };

/** Without a filter (routes that stand alone) only what routes say themselves. */
export function checkModes(routes: readonly FilteredRoute[], filter: EngineFilter | undefined, context: CheckContext): void {
  if (filter !== undefined) checkDeclared(field(filter.config, "processing_mode"), filter.config, undefined, context);
  for (const route of routes) {
    const needs = chainOf(context.demands, route.name, route.ownChain)?.needs;
    for (const { overrides } of [...route.layers, ...route.parts]) {
      const mode = field(overrides, "processing_mode");
      if (mode !== undefined) checkDeclared(mode, mode, needs, context);
    }
    if (route.layers[0]?.disabled !== true) checkNeeds(route, needs ?? nothing, filter, context);
  }
}

/** What is wrong with a processing mode whatever the chain is; `needs` are those of the route that has it. */
function checkDeclared(mode: Place | undefined, owner: Place, needs: ChainNeeds | undefined, { demands, report }: CheckContext): void {
  const { responseHeaders } = demands.settings.envoy;
  const requestHeaders = field(mode, "request_header_mode");
  if (choice(requestHeaders, headerModes) === "SKIP") report(problem("envoy-request-headers", whereOf(requestHeaders, owner), {}));
  const place = field(mode, "response_header_mode");
  // What is not said is SEND.
  const sent = choice(place, headerModes) !== "SKIP";
  if (!sent && responseHeaders === "sent") report(problem("envoy-response-headers", whereOf(place, owner), {}));
  if (sent && responseHeaders === "skipped" && needs?.responseHeaders !== true && (needs?.responseBody ?? "none") === "none") {
    report(problem("envoy-response-headers-unused", whereOf(place, mode ?? owner), {}));
  }
  for (const direction of directions) {
    const body = field(mode, `${direction}_body_mode`);
    const found = choice(body, bodyModes);
    if (body === undefined || found === "NONE") continue;
    if (!isUsed(found)) report(problem("envoy-body-mode", atKey(body), { key: `${direction}_body_mode`, mode: found }));
    else if (choice(field(mode, `${direction}_trailer_mode`), headerModes) !== "SEND") {
      report(problem("envoy-trailers", atKey(body), { direction }));
    }
  }
}

/** Whether the bodies that a chain reads come, and no others. */
function checkNeeds(route: FilteredRoute, needs: ChainNeeds, filter: EngineFilter | undefined, { demands, report }: CheckContext): void {
  const own = route.layers.map(({ overrides }) => field(overrides, "processing_mode")).find((mode) => mode !== undefined);
  const mode = own ?? field(filter?.config, "processing_mode");
  const overridable =
    demands.settings.envoy.allowModeOverride && (filter === undefined || isTrue(field(filter.config, "allow_mode_override")));
  for (const direction of directions) {
    const key = `${direction}_body_mode`;
    const body = field(mode, key);
    const found = choice(body, bodyModes);
    const needed = envoyBodyMode(bodyMode(needs[`${direction}Body`]));
    if (needed === found) continue;
    if (needed === "NONE") {
      if (body !== undefined && isUsed(found)) report(problem("envoy-body-unused", atKey(body), { direction }));
    } else if (body !== undefined && found !== "NONE" && isUsed(found)) {
      report(problem("envoy-body-unfit", atKey(body), { key, route: route.name, found, needed }));
    } else if (filter !== undefined || own !== undefined) {
      const where = atKey(own ?? route.place);
      if (!overridable) report(problem("envoy-body-missing", where, { key, direction, route: route.name, needed }));
      else if (needed !== "BUFFERED") report(problem("envoy-body-whole", where, { key, direction, route: route.name, needed }));
    }
  }
}

const isUsed = (mode: (typeof bodyModes)[number]): boolean => mode === "NONE" || mode === "BUFFERED" || mode === "FULL_DUPLEX_STREAMED";
