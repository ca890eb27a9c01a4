import { type Finding, finding } from "./finding.ts";

/** What Envoy says of itself. */
export interface ServerState {
  /** `1.36.2`; all that it says where that is not understood. */
  readonly version: string;
  /** `LIVE`, `DRAINING`, `PRE_INITIALIZING`, `INITIALIZING`. */
  readonly state: string;
}

/** Reads what `/server_info` answers: `version` there is `COMMIT/1.36.2/Clean/RELEASE/BoringSSL`. */
export function serverState(page: unknown): ServerState {
  const { version, state }: { readonly version?: unknown; readonly state?: unknown } = Object(page);
  const text = String(version);
  return { version: text.split("/")[1] ?? text, state: String(state ?? "PRE_INITIALIZING") };
}

/** What the rules were measured with. */
const knownVersion = /^1\.36\./;

export function checkServer({ version, state }: ServerState, source: string): readonly Finding[] {
  return [
    ...(knownVersion.test(version) ? [] : [finding("doctor-envoy-version", source, { version })]),
    ...(state === "LIVE" ? [] : [finding("doctor-envoy-state", source, { state })]),
  ];
}
