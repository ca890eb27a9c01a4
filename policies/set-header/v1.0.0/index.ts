import type { Exchange, Headers, PolicyDefinition } from "@envoy-policy-engine/sdk";
import { changeableName } from "./header-name.ts";
import type { Change, Parameters } from "./parameters.ts";

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

type BoundChange = (headers: Headers, exchange: Exchange) => void;

function bindChange(change: Change): BoundChange {
  const name = changeableName(change.name);
  const { set, setFrom, append, appendFrom } = change;
  if (set !== undefined) return (headers) => headers.set(name, set);
  if (setFrom !== undefined) return (headers, exchange) => headers.set(name, setFrom.evaluate(exchange));
  if (append !== undefined) return (headers) => headers.append(name, append);
  if (appendFrom !== undefined) return (headers, exchange) => headers.append(name, appendFrom.evaluate(exchange));
  // The schema allows exactly one action, so what is left is `remove`.
  return (headers) => headers.delete(name);
}
