import { openGate } from "@envoy-policy-engine/jwt";
import type { PolicyDefinition } from "@envoy-policy-engine/sdk";
import type { Parameters } from "./parameters.ts";

export default {
  async create({ token, issuers, clockSkewSeconds, require, claimsToHeaders, claimsToMetadata, forward, realm }, context) {
    const gate = await openGate(
      {
        places: token,
        issuers,
        clockSkewSeconds,
        requirements: require,
        claimHeaders: claimsToHeaders,
        metadataClaims: claimsToMetadata,
        token: forward ? "forwarded" : "removed",
        realm,
      },
      context,
    );
    return { request: gate };
  },
} satisfies PolicyDefinition<Parameters>;
