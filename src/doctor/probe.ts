/** A request that must be denied, to see that it is. */
import type { Fetch } from "./admin-port.ts";
import { type Finding, finding } from "./finding.ts";

export interface Probe {
  /** Through Envoy, of a route whose chain denies it: without credentials, say. */
  readonly url: string;
  /** The status of the denial; undefined: any from 400 to 499. */
  readonly status: number | undefined;
}

const timeoutMs = 15_000;
const bodyBytesMax = 16 * 1024 * 1024;

/**
 * Sends a GET without credentials. The engine's replies, and nobody else's, carry `x-decision-id`: without it the answer is the upstream's or
 * Envoy's own, whatever its status is. Never rejects.
 */
export async function sendProbe(fetch: Fetch, { url, status: expected }: Probe): Promise<readonly Finding[]> {
  const { origin, pathname } = new URL(url);
  // A query may hold a key.
  const source = `${origin}${pathname}`;
  let response: Response;
  try {
    const headers = { "user-agent": "policy-engine-doctor" };
    response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), bodyBytesMax, headers });
  } catch (error) {
    return [finding("doctor-probe-failed", source, { detail: error instanceof Error ? error.message : String(error) })];
  }
  const { status } = response;
  const facts = { status, expected: expected === undefined ? "a 4xx" : String(expected) };
  if (!response.headers.has("x-decision-id")) return [finding(status < 400 ? "doctor-probe-passed" : "doctor-probe-unseen", source, facts)];
  const fits = expected === undefined ? status >= 400 && status <= 499 : status === expected;
  return fits ? [] : [finding("doctor-probe-unexpected", source, facts)];
}
