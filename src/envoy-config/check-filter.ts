/** The filter's own settings. */
import type { Place } from "../config/node.ts";
import { durationText } from "../config/quantities.ts";
import { at, atKey, type Report } from "../config/read.ts";
import { problem } from "../errors.ts";
import { engineNamespace } from "../kernel/route-identity.ts";
import type { CheckContext } from "./check-context.ts";
import { checkAttributes } from "./check-identity.ts";
import { checkMutationRules } from "./check-rights.ts";
import { checkService } from "./check-service.ts";
import type { EngineFilter } from "./engine-filter.ts";
import { choice, durationMs, field, isTrue, items, text } from "./field.ts";
import { whereOf } from "./where.ts";

/** Envoy's own, milliseconds. */
const messageTimeoutDefaultMs = 200;

/** Returns the gRPC services that it names. */
export function checkFilter({ config }: EngineFilter, context: CheckContext): readonly Place[] {
  const { report } = context;
  for (const [key, code] of switches) {
    const place = field(config, key);
    if (place !== undefined && isTrue(place)) report(problem(code, at(place), {}));
  }
  checkMessageTimeout(config, context);
  checkAttributes(config, context);
  checkOverrides(config, context);
  checkMutationRules(config, context);
  checkRouteCache(config, report);
  checkNamespaces(config, config, context);
  const rules = field(config, "forward_rules");
  if (rules !== undefined) report(problem("envoy-headers-hidden", atKey(rules), {}));
  if (field(config, "status_on_error") === undefined) report(problem("envoy-status-on-error", atKey(config), {}));

  const http = field(config, "http_service");
  if (http !== undefined) report(problem("envoy-http-service", atKey(http), {}));
  const service = field(config, "grpc_service");
  if (service === undefined) return [];
  checkService(service, context);
  return [service];
}

/** What must not be true. */
const switches = [
  ["failure_mode_allow", "envoy-fail-open"],
  ["observability_mode", "envoy-observability"],
  ["disable_immediate_response", "envoy-replies-refused"],
] as const;

function checkMessageTimeout(config: Place, { demands, report }: CheckContext): void {
  const place = field(config, "message_timeout");
  const expected = demands.settings.envoy.messageTimeoutMs;
  const found = place === undefined ? messageTimeoutDefaultMs : durationMs(place);
  if (found === expected) return;
  const facts = {
    found: place === undefined ? `the default, ${durationText(messageTimeoutDefaultMs)}` : (text(place) ?? "no duration"),
    settings: durationText(expected),
    envoy: `${expected / 1000}s`,
  };
  report(problem("envoy-message-timeout", whereOf(place, config), facts));
}

/** Envoy ignores an override in silence. */
function checkOverrides(config: Place, { demands, report }: CheckContext): void {
  const allowed = field(config, "allow_mode_override");
  if (!demands.settings.envoy.allowModeOverride) {
    if (isTrue(allowed) && allowed !== undefined) report(problem("envoy-override-unused", at(allowed), {}));
    return;
  }
  if (!isTrue(allowed)) {
    report(
      problem("envoy-override-refused", whereOf(allowed, config), {
        detail: "`allow_mode_override` is not true",
        remedy: "set `allow_mode_override: true`",
      }),
    );
  }
  const modes = field(config, "allowed_override_modes");
  if (modes !== undefined && items(modes).length > 0) {
    report(
      problem("envoy-override-refused", atKey(modes), {
        detail: "`allowed_override_modes` takes only some of them",
        remedy: "remove `allowed_override_modes`",
      }),
    );
  }
  for (const direction of ["request", "response"] as const) {
    const body = field(config, "processing_mode", `${direction}_body_mode`);
    if (body === undefined || text(body) !== "FULL_DUPLEX_STREAMED") continue;
    const detail = `\`${direction}_body_mode: FULL_DUPLEX_STREAMED\` for the whole filter switches them off`;
    report(problem("envoy-override-refused", atKey(body), { detail, remedy: "say it on the routes that need it" }));
  }
  const early = field(config, "send_body_without_waiting_for_header_response");
  if (early !== undefined && isTrue(early)) {
    const key = "send_body_without_waiting_for_header_response";
    report(problem("envoy-override-refused", at(early), { detail: `\`${key}\` switches them off`, remedy: `remove \`${key}\`` }));
  }
}

function checkRouteCache(config: Place, report: Report): void {
  const place = field(config, "route_cache_action");
  const action = choice(place, ["DEFAULT", "CLEAR", "RETAIN"]);
  if (action === "CLEAR" && place !== undefined) report(problem("envoy-route-cache", at(place), { what: "`route_cache_action: CLEAR`" }));
  if (action === "DEFAULT" && !isTrue(field(config, "disable_clear_route_cache"))) {
    report(problem("envoy-route-cache-default", whereOf(place, config), {}));
  }
}

/** `owner` is where the key is missing when it is. */
export function checkNamespaces(config: Place, owner: Place, { demands, report }: CheckContext): void {
  if (demands.settings.envoy.metadata === undefined) return;
  const untyped = field(config, "metadata_options", "receiving_namespaces", "untyped");
  if (items(untyped).some((item) => text(item) === engineNamespace)) return;
  report(problem("envoy-dynamic-metadata", atKey(untyped ?? field(config, "metadata_options") ?? owner), { namespace: engineNamespace }));
}
