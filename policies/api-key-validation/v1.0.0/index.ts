import { bindPlaces, readPlaces } from "@envoy-policy-engine/credential-places";
import type { Auth, MetadataKey, PolicyDefinition } from "@envoy-policy-engine/sdk";
import { createKeyRing } from "./key-ring.ts";
import type { Parameters } from "./parameters.ts";
import { forbidden, severalKeys, unauthorized } from "./replies.ts";

const auth: MetadataKey<Auth> = { name: "auth" };

/** Longer ones are refused unread: hashing whatever a client sends would be work that anybody can order. */
const keyBytesMax = 1024;

export default {
  create({ places, keys, requiredScopes, forward, realm }, context) {
    const boundPlaces = bindPlaces(places);
    const ring = createKeyRing(keys, requiredScopes);
    const several = severalKeys();
    const missing = unauthorized(realm, "api-key-missing", "no API key in any of the configured places");
    const oversized = unauthorized(realm, "api-key-oversized", `the API key is longer than ${keyBytesMax} bytes`);
    const unknown = unauthorized(realm, "api-key-unknown", "no configured key has this digest");

    return {
      request(exchange) {
        const { request } = exchange;
        const [sent, another] = readPlaces(boundPlaces, request);
        if (another !== undefined) return several;
        if (sent === undefined || sent.length === 0) return missing;
        if (sent.length > keyBytesMax) return oversized;
        const key = ring.find(sent);
        if (key === undefined) return unknown;
        if (context.now() >= key.expiresMs) return unauthorized(realm, "api-key-expired", `${key.title} has expired`);
        if (key.lackedScope !== undefined) return forbidden(`${key.title} lacks the scope \`${key.lackedScope}\``);
        if (!forward) for (const place of boundPlaces) place.strip(request);
        exchange.metadata.set(auth, key.auth);
        return undefined;
      },
    };
  },
} satisfies PolicyDefinition<Parameters>;
