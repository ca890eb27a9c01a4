import type { PolicyDefinition } from "@envoy-policy-engine/sdk";
import { bindChange } from "./change.ts";
import type { Parameters } from "./parameters.ts";

export default {
  create({ request, response }) {
    const requestChanges = request?.map(bindChange);
    const responseChanges = response?.map(bindChange);
    return {
      ...(requestChanges && {
        request(exchange) {
          for (const change of requestChanges) change(exchange.request.headers, exchange);
        },
      }),
      ...(responseChanges && {
        response(exchange) {
          for (const change of responseChanges) change(exchange.response.headers, exchange);
        },
      }),
    };
  },
} satisfies PolicyDefinition<Parameters>;
