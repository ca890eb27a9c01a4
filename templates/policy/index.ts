import type { PolicyDefinition } from "@envoy-policy-engine/sdk";
import type { Parameters } from "./parameters.ts";

export default {
  create({ header, status }) {
    return {
      request(exchange) {
        if (exchange.request.headers.has(header)) return;
        return { status, code: "header-missing", body: `the header ${header} is missing\n` };
      },
    };
  },
} satisfies PolicyDefinition<Parameters>;
