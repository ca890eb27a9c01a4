/**
 * How an exchange says which route it belongs to. Two carriers: Envoy attributes (the documented one) and metadata of the gRPC stream
 * (known before any message). Neither can be set by the client. Absent is never taken for "no route".
 */
import type { EnvoyPromises } from "../config/types.ts";
import type { FailureCode } from "../errors.ts";
import type { StreamMetadata } from "./transport.ts";
import type { Attributes, AttributeValue } from "./wire/wire-attributes.ts";

export type RouteIdentity =
  /** `name` is `""` for an unnamed route; `ownChain` is the chain that the route's own metadata names. */
  | { readonly kind: "route"; readonly name: string; readonly ownChain: string | undefined }
  | { readonly kind: "refused"; readonly code: FailureCode };

/** Of the metadata that a route carries for the engine, and of what the engine tells Envoy. */
export const engineNamespace = "policy.engine";
export const routeAttribute = "xds.route_name";
export const chainAttribute = "xds.route_metadata.filter_metadata['policy.engine']['chain']";
export const routeMetadata = "x-route";
export const chainMetadata = "x-policy-chain";
/** The literal before `%ROUTE_NAME%`: tells an empty name from a carrier that is not configured. */
export const routePrefix = "r:";

/**
 * Where a value of the route's `filter_metadata: { policy.engine: ... }` comes from. Undefined for a key that would have to be escaped: the
 * attribute's name is the text of the expression, and only plain ones are understood.
 */
export function routeMetadataAttribute(key: string): string | undefined {
  return /^[^'\\\p{Cc}]+$/u.test(key) ? `xds.route_metadata.filter_metadata['policy.engine']['${key}']` : undefined;
}

export function routeIdentity(
  carriers: EnvoyPromises["identity"],
  attributes: Attributes | undefined,
  metadata: StreamMetadata,
): RouteIdentity {
  switch (carriers) {
    case "attributes":
      return fromAttributes(attributes);
    case "metadata":
      return fromMetadata(metadata);
    case "both":
      return agreed(fromAttributes(attributes), fromMetadata(metadata));
    default:
      return carriers satisfies never;
  }
}

function fromAttributes(attributes: Attributes | undefined): RouteIdentity {
  if (attributes === undefined) return { kind: "refused", code: "identity-missing" };
  const name = attributes.get(routeAttribute);
  // The entry is there but the attribute is not: Envoy matched no route.
  if (typeof name !== "string") return { kind: "refused", code: "no-route" };
  return { kind: "route", name, ownChain: text(attributes.get(chainAttribute)) };
}

/** An empty name may be an unnamed route or no route at all; the route's own chain tells, and without it the table refuses. */
function fromMetadata(metadata: StreamMetadata): RouteIdentity {
  const route = metadata.get(routeMetadata);
  if (route === undefined || !route.startsWith(routePrefix)) return { kind: "refused", code: "identity-missing" };
  const name = route.slice(routePrefix.length);
  const ownChain = text(metadata.get(chainMetadata));
  if (name === "" && ownChain === undefined) return { kind: "refused", code: "route-unnamed" };
  return { kind: "route", name, ownChain };
}

function agreed(attributes: RouteIdentity, metadata: RouteIdentity): RouteIdentity {
  const missing = [attributes, metadata].find((one) => one.kind === "refused" && one.code === "identity-missing");
  if (missing !== undefined) return missing;
  // In metadata an unmatched request looks like an unnamed route: attributes decide which it is.
  const unnamed = metadata.kind === "refused";
  if (attributes.kind === "refused") return unnamed ? attributes : { kind: "refused", code: "identity-conflict" };
  if (unnamed) return attributes.name === "" ? attributes : { kind: "refused", code: "identity-conflict" };
  const { name } = attributes;
  const bothChains = attributes.ownChain !== undefined && metadata.ownChain !== undefined;
  if (name !== metadata.name || (bothChains && attributes.ownChain !== metadata.ownChain)) {
    return { kind: "refused", code: "identity-conflict" };
  }
  return { kind: "route", name, ownChain: attributes.ownChain ?? metadata.ownChain };
}

function text(value: AttributeValue | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
