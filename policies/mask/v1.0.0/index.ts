import type { PolicyDefinition } from "@envoy-policy-engine/sdk";
import { requestFacts, responseFacts } from "./body-facts.ts";
import { bindDirection } from "./direction.ts";
import type { Parameters } from "./parameters.ts";
import { partialRequest, partialResponse, unmaskableRequest, unmaskableResponse } from "./replies.ts";

export default {
  create({ request, response }) {
    const maskRequest = request && bindDirection(request, "request", { unmaskable: unmaskableRequest(), partial: partialRequest() });
    const maskResponse = response && bindDirection(response, "response", { unmaskable: unmaskableResponse(), partial: partialResponse() });
    return {
      ...(maskRequest && {
        request: { body: "streamed", start: (exchange, stream) => maskRequest(requestFacts(exchange.request), stream) },
      }),
      ...(maskResponse && {
        response: {
          body: "streamed",
          start: (exchange, stream) => maskResponse(responseFacts(exchange.request, exchange.response), stream),
        },
      }),
    };
  },
} satisfies PolicyDefinition<Parameters>;
