import type { Place } from "../config/node.ts";
import type { Report } from "../config/read.ts";
import type { EnvoyDemands } from "./demands.ts";
import type { EnvoyParts } from "./parts.ts";
import type { FilteredRoute } from "./routes.ts";

/** What every rule is given. */
export interface CheckContext {
  readonly demands: EnvoyDemands;
  readonly parts: EnvoyParts;
  readonly report: Report;
}

/** The routes of one connection manager, as far as they are in the document. */
export interface RouteTable {
  /** Undefined when they come from elsewhere. */
  readonly place: Place | undefined;
  readonly routes: readonly FilteredRoute[];
}
