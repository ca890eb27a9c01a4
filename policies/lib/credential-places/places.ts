import type { Request } from "@envoy-policy-engine/sdk";
import { cookieValues, withoutCookie } from "./cookie.ts";
import { queryValues, withoutQueryParameter } from "./query.ts";

/** Where a credential may be: a header in any case, a query parameter or a cookie, both exactly as named. */
export interface Place {
  readonly in: "header" | "query" | "cookie";
  readonly name: string;
}

export interface BoundPlace {
  readonly in: Place["in"];
  /** In lower case for a header. */
  readonly name: string;
  /** What is there, as bytes: one entry per header line, parameter or cookie of the name, empty ones too. */
  read(request: Request): readonly Uint8Array[];
  /** Takes all of it out and leaves the rest as it is, byte by byte. */
  strip(request: Request): void;
}

/** Throws on a place given twice, and on a header that no policy may take out. */
export function bindPlaces(places: readonly Place[]): readonly BoundPlace[] {
  const seen = new Set<string>();
  return places.map((place) => {
    const name = place.in === "header" ? place.name.toLowerCase() : place.name;
    const title = `${place.in} \`${name}\``;
    if (seen.has(title)) throw new Error(`the ${title} is given twice: every request would carry two credentials`);
    seen.add(title);
    return bindPlace(place.in, name);
  });
}

/** What is in any of them, in their order. */
export function readPlaces(places: readonly BoundPlace[], request: Request): readonly Uint8Array[] {
  const [first] = places;
  return first !== undefined && places.length === 1 ? first.read(request) : places.flatMap((place) => place.read(request));
}

function bindPlace(kind: Place["in"], name: string): BoundPlace {
  switch (kind) {
    case "header":
      if (isReserved(name)) throw new Error(`the header \`${name}\` cannot hold a credential: give it a header of its own`);
      return {
        in: kind,
        name,
        read: ({ headers }) => headers.getBytes(name),
        strip: ({ headers }) => headers.delete(name),
      };
    case "query":
      return {
        in: kind,
        name,
        read: ({ query }) => queryValues(query, name),
        strip(request) {
          const rest = withoutQueryParameter(request.query, name);
          if (rest !== request.query) request.query = rest;
        },
      };
    case "cookie":
      return {
        in: kind,
        name,
        read: ({ headers }) => cookieValues(headers.getBytes("cookie"), name),
        strip({ headers }) {
          const lines = headers.getBytes("cookie");
          const rest = withoutCookie(lines, name);
          if (rest !== lines) headers.set("cookie", rest);
        },
      };
    default:
      throw new Error(`unknown place \`${kind satisfies never}\``);
  }
}

/** Names that no policy may change (RFC 9110 7.6.1, message framing, the engine's own), and the one that holds other cookies too. */
function isReserved(name: string): boolean {
  return name === "cookie" || hopByHop.test(name) || /^(?:content-length|host|x-decision-id|x-envoy.*)$/.test(name);
}

const hopByHop = /^(?:connection|expect|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/;
