/** What the two providers of a chaos run deliver: good configurations, and one way of being broken after the other. */

/** A route, and the provider whose chain it has. */
export type Route = "orders" | "reports";

/**
 * Each of two steps stamps the request and the response. In flow style, and the routes first: no beginning of the text is a configuration.
 */
export function goodText(route: Route, stamp: string): string {
  const both = (action: string): string => `parameters: { request: [${action}], response: [${action}] }`;
  return `version: 1
routes: { ${route}: ${route} }
chains: { ${route}: { steps: [
  { policy: set-header@1, name: first, when: 'request.path != "/never"', ${both(`{ name: x-stamp, set: "${stamp}" }`)} },
  { policy: set-header@2, name: second, ${both(`{ set: { name: x-stamp-again, value: "${stamp}" } }`)} },
  { policy: set-header@2, name: cleaned, parameters: { request: [{ removeMatching: { pattern: ^x-internal- } }] } }
  ] } }
`;
}

export interface Breakage {
  readonly what: string;
  /** What is wrong is said of the text that another provider's chain `other` stands beside. */
  readonly spoil: (text: string, other: Route) => string | Uint8Array;
}

const replacing = (what: string, from: string, to: string): Breakage => ({ what, spoil: (text) => text.replace(from, to) });

/** What any provider can deliver. */
export const brokenDocuments: readonly [Breakage, ...Breakage[]] = [
  replacing("an unknown policy", "set-header@1", "set-headr@1"),
  replacing("an unknown version", "set-header@1", "set-header@9"),
  replacing("an unknown name in a condition", "request.path", "reqest.path"),
  replacing("a value that may be missing", "request.path", 'request.headers["x-a"]'),
  replacing("a parameter that is missing", "name: x-stamp,", ""),
  replacing("a pattern that is none", "^x-internal-", '"^x-(internal-"'),
  { what: "a chain that is not there", spoil: (text) => text.replace(/routes: \{ (\w+): \w+/, "routes: { $1: nowhere") },
  { what: "a secret that is not there", spoil: (text) => text.replace(/set: "[^"]+"/, 'set: "${env:CHAOS_NOWHERE}"') },
  replacing("a create that throws", "steps: [", "steps: [ { policy: create-throws@1.0.0 },"),
  replacing("a create that rejects", "steps: [", "steps: [ { policy: create-rejects@1.0.0 },"),
  replacing("a create that returns nothing", "steps: [", "steps: [ { policy: create-returns-nothing@1.0.0 },"),
  { what: "what another provider defines", spoil: (text, other) => text.replace("routes: {", `routes: { ${other}: [],`) },
];

/** What only a file can be; `undefined`: it is gone. */
export const brokenFiles: readonly (Breakage | undefined)[] = [
  { what: "no YAML", spoil: (text) => `${text}more: [` },
  { what: "an unknown key", spoil: (text) => text.replace("steps:", "stps:") },
  { what: "half written", spoil: (text) => text.slice(0, text.length / 2) },
  { what: "all but written", spoil: (text) => text.slice(0, -4) },
  { what: "empty", spoil: () => "" },
  { what: "no UTF-8", spoil: (text) => Buffer.concat([Buffer.from(text), Buffer.of(0xff)]) },
  undefined,
];
