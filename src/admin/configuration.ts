/** `GET /config`, `/generations` and `/routes/NAME`: which configuration is in use, and what of it concerns a route. */
import { decoded, type Eventually, json, type Page, whenThere } from "./page.ts";

/** What these paths show, as it is. No secrets are in it. */
export interface ConfigurationSources {
  /** Undefined while there is no valid configuration. */
  readonly config: () => object | undefined;
  readonly generations: () => Eventually<object>;
  /** `known: false` is a 404. Undefined while there is no valid configuration. */
  readonly route: (name: string) => Eventually<{ readonly known: boolean } | undefined>;
}

export const configurationPaths = ["/config", "/generations", "/routes/NAME"];

const routePath = "/routes/";

/** Undefined when the path is none of these. */
export function configurationPage(path: string, sources: ConfigurationSources): Eventually<Page> | undefined {
  if (path === "/config") return orNothing(sources.config());
  if (path === "/generations") return whenThere(sources.generations(), (generations) => json(200, generations));
  if (!path.startsWith(routePath)) return undefined;
  const name = decoded(path.slice(routePath.length));
  if (name === undefined) return json(400, { error: "the route's name is not percent-encoded UTF-8" });
  return whenThere(sources.route(name), (route) => (route?.known === false ? json(404, route) : orNothing(route)));
}

function orNothing(body: object | undefined): Page {
  return body === undefined ? json(503, { error: "there is no valid configuration yet: `/readyz` says why" }) : json(200, body);
}
