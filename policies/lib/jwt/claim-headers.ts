import type { Headers } from "@envoy-policy-engine/sdk";
import { type ClaimPath, claimAt, headerText } from "./claim-values.ts";

/** A claim and the request header that tells it to the upstream. */
export interface ClaimHeader {
  readonly claim: ClaimPath;
  readonly header: string;
}

/** Lower-case name and value; undefined where the token says nothing that a header can hold. */
export type HeaderFromClaim = readonly [name: string, value: string | undefined];

/** Lower-case names. Throws on one given twice, and on one that no policy may change. */
export function bindClaimHeaders(mappings: readonly ClaimHeader[]): readonly ClaimHeader[] {
  const seen = new Set<string>();
  return mappings.map(({ claim, header }) => {
    const name = header.toLowerCase();
    if (seen.has(name)) throw new Error(`the header \`${name}\` is set from two claims: only one of them would arrive`);
    if (isReserved(name)) throw new Error(`the header \`${name}\` may not be set from a claim: give it another name`);
    seen.add(name);
    return { claim, header: name };
  });
}

export function headersFrom(claims: Readonly<Record<string, unknown>>, mappings: readonly ClaimHeader[]): readonly HeaderFromClaim[] {
  return mappings.map(({ claim, header }) => [header, headerText(claimAt(claims, claim))]);
}

/** What the client sent under these names goes, also where the token has nothing to put in its place. */
export function writeHeaders(headers: Headers, values: readonly HeaderFromClaim[]): void {
  for (const [name, value] of values) {
    if (value !== undefined) headers.set(name, value);
    else if (headers.has(name)) headers.delete(name);
  }
}

/** Names that no policy may change (RFC 9110 7.6.1, message framing, the engine's own), and those that are credentials themselves. */
function isReserved(name: string): boolean {
  return hopByHop.test(name) || /^(?:authorization|cookie|content-length|host|x-decision-id|x-envoy.*)$/.test(name);
}

const hopByHop = /^(?:connection|expect|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/;
