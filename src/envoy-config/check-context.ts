import type { Report } from "../config/read.ts";
import type { EnvoyDemands } from "./demands.ts";
import type { EnvoyParts } from "./parts.ts";

/** What every rule is given. */
export interface CheckContext {
  readonly demands: EnvoyDemands;
  readonly parts: EnvoyParts;
  readonly report: Report;
}
