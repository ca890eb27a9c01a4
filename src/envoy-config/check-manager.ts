/** Paths and headers as the connection manager leaves them for the policies, and ways around the filter. */
import type { Place } from "../config/node.ts";
import { atKey, type Report } from "../config/read.ts";
import { problem } from "../errors.ts";
import { choice, field, isTrue, items, text } from "./field.ts";
import { whereOf } from "./where.ts";

const slashes = [
  "IMPLEMENTATION_SPECIFIC_DEFAULT",
  "KEEP_UNCHANGED",
  "REJECT_REQUEST",
  "UNESCAPE_AND_REDIRECT",
  "UNESCAPE_AND_FORWARD",
] as const;

export function checkManager(manager: Place, report: Report): void {
  for (const key of ["normalize_path", "merge_slashes"]) {
    const place = field(manager, key);
    if (!isTrue(place)) report(problem("envoy-path", whereOf(place, manager), { key, remedy: `set \`${key}: true\`` }));
  }
  const key = "path_with_escaped_slashes_action";
  const action = field(manager, key);
  if (["IMPLEMENTATION_SPECIFIC_DEFAULT", "KEEP_UNCHANGED"].includes(choice(action, slashes))) {
    report(problem("envoy-path", whereOf(action, manager), { key, remedy: `set \`${key}: UNESCAPE_AND_REDIRECT\`` }));
  }
  const underscores = field(manager, "common_http_protocol_options", "headers_with_underscores_action");
  if (choice(underscores, ["ALLOW", "REJECT_REQUEST", "DROP_HEADER"]) === "ALLOW") {
    report(problem("envoy-underscores", whereOf(underscores, manager), {}));
  }
  for (const upgrade of items(field(manager, "upgrade_configs"))) checkUpgrade(upgrade, report);
}

/** An upgrade's own filters stand in place of the connection manager's. */
function checkUpgrade(upgrade: Place, report: Report): void {
  const filters = field(upgrade, "filters");
  if (filters === undefined || items(filters).length === 0) return;
  if (items(filters).some((filter) => text(field(filter, "typed_config", "@type"))?.endsWith(".ExternalProcessor") === true)) return;
  report(problem("envoy-upgrade-filters", atKey(filters), { upgrade: text(field(upgrade, "upgrade_type")) ?? "" }));
}
