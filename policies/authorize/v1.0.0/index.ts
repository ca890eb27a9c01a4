import type { Expression, MetadataKey, PolicyDefinition, Reply } from "@envoy-policy-engine/sdk";
import type { Parameters, Rule } from "./parameters.ts";

/** What the manifest promises to write under `authorization`. */
interface Authorization {
  readonly code: string;
  readonly reason?: string;
}

const authorization: MetadataKey<Authorization> = { name: "authorization" };

export default {
  create({ rules }) {
    const boundRules = rules.map(bindRule);
    const noRule = reply({ status: 403, code: "no-rule-matched", reason: "no rule allows the request" });
    return {
      request(exchange) {
        const rule = boundRules.find(({ when }) => when.evaluate(exchange));
        if (rule === undefined) return noRule;
        if (rule.effect === "deny") return rule.reply;
        exchange.metadata.set(authorization, rule.authorization);
        return undefined;
      },
    };
  },
} satisfies PolicyDefinition<Parameters>;

type BoundRule =
  | { readonly effect: "allow"; readonly when: Expression<boolean>; readonly authorization: Authorization }
  | { readonly effect: "deny"; readonly when: Expression<boolean>; readonly reply: Reply };

function bindRule({ allow, deny }: Rule, index: number): BoundRule {
  if (allow !== undefined) {
    const { when, ...granted } = allow;
    return { effect: "allow", when, authorization: Object.freeze(granted) };
  }
  if (deny !== undefined) {
    const { when, status, challenge, code } = deny;
    if (status === 401 && challenge === undefined) {
      const remedy = 'add one, such as `Bearer realm="api"`, or answer 403';
      throw new Error(`\`rules[${index}]\` (\`${code}\`) answers 401 without a \`challenge\`, which RFC 9110 15.5.2 demands: ${remedy}`);
    }
    return { effect: "deny", when, reply: reply(deny) };
  }
  throw new Error(`\`rules[${index}]\` needs \`allow\` or \`deny\``);
}

type Denial = Omit<NonNullable<Rule["deny"]>, "when">;

/** The body is the same for every rule of a status (RFC 9457): which rule it was is nobody's business outside. */
function reply({ status, code, reason, challenge }: Denial): Reply {
  return {
    status,
    code,
    ...(reason !== undefined && { reason }),
    headers: { "content-type": "application/problem+json", ...(challenge !== undefined && { "www-authenticate": challenge }) },
    body: JSON.stringify({ status }),
  };
}
