import type { PolicyDefinition, ReadonlyRequest, Response } from "@envoy-policy-engine/sdk";
import { type BodyFacts, bindDirection, presenceOf } from "./direction.ts";
import type { Parameters } from "./parameters.ts";
import { partialRequest, partialResponse, unmaskableRequest, unmaskableResponse } from "./replies.ts";

export default {
  create({ request, response }) {
    const maskRequest = request && bindDirection(request, { unmaskable: unmaskableRequest(), partial: partialRequest() });
    const maskResponse = response && bindDirection(response, { unmaskable: unmaskableResponse(), partial: partialResponse() });
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

function requestFacts({ headers }: ReadonlyRequest): BodyFacts {
  return {
    contentTypes: headers.getAll("content-type"),
    presence: presenceOf(headers),
    extent: headers.has("content-range") ? "part" : "whole",
  };
}

function responseFacts({ method }: ReadonlyRequest, { headers, status, origin }: Response): BodyFacts {
  const contentTypes = headers.getAll("content-type");
  return {
    // Envoy calls a reply text when nobody has said what it is.
    contentTypes: contentTypes.length === 0 && origin === "reply" ? ["text/plain"] : contentTypes,
    presence: responsePresence(method, status, headers),
    extent: status === 206 || headers.has("content-range") ? "part" : "whole",
  };
}

function responsePresence(method: string, status: number, headers: Response["headers"]): BodyFacts["presence"] {
  // RFC 9110 6.4.1. The headers of a response to HEAD are those of a response to GET.
  if (status === 204 || status === 304) return "none";
  if (method === "HEAD") return "possible";
  const presence = presenceOf(headers);
  return presence === "possible" && headers.has("content-type") ? "sure" : presence;
}
