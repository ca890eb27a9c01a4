import { openGate } from "@envoy-policy-engine/jwt";
import type { PolicyDefinition } from "@envoy-policy-engine/sdk";
import type { Parameters } from "./parameters.ts";

export default {
  async create({ issuer, audience, jwks, claimsToHeaders }, context) {
    const gate = await openGate(
      {
        places: [{ in: "header", name: "authorization" }],
        issuers: [{ issuer, audiences: audience === undefined ? [] : [audience], algorithms, jwks }],
        clockSkewSeconds: 30,
        requirements: { scopes: { allOf: [], anyOf: [] }, claims: { allOf: [], anyOf: [] } },
        claimHeaders: claimsToHeaders,
        metadataClaims: [],
        token: "removed",
        realm: "api",
      },
      context,
    );
    return { request: gate };
  },
} satisfies PolicyDefinition<Parameters>;

/** Asymmetric ones; a key is good for those that its own type allows. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
