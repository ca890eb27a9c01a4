/** Policies whose handlers are given as code: for what no parameters can say. */
import type { PolicyDefinition, PolicyInstance } from "@envoy-policy-engine/sdk";
import type { PolicyRegistry } from "../../src/config/types.ts";

/** By name, at version 1.0.0. Each may set path, query, method and host, and writes the metadata `note`. */
export function codePolicies(instances: Readonly<Record<string, PolicyInstance<unknown>>>): PolicyRegistry {
  return createdPolicies(Object.fromEntries(Object.entries(instances).map(([name, instance]) => [name, () => instance])));
}

/** The same, with the whole of `create`. */
export function createdPolicies(
  creates: Readonly<Record<string, PolicyDefinition<Record<string, never>, unknown>["create"]>>,
): PolicyRegistry {
  return new Map(
    Object.entries(creates).map(([name, create]) => [
      `${name}@1.0.0`,
      {
        manifest: {
          name,
          version: "1.0.0",
          summary: "Made by a test.",
          sdk: 1,
          protects: false,
          metadata: { reads: [], writes: { note: { description: "Anything." } } },
          mutates: ["path", "query", "method", "host"],
          headers: { request: [], response: [] },
          replies: "sometimes",
          parameters: { type: "object", additionalProperties: false, properties: {} },
        },
        definition: { create },
        source: "tests",
        hash: "",
      },
    ]),
  );
}

/** A configuration with one route, `route`, whose chain has these policies as its steps, in order; `policy?` stands for `onError: skip`. */
export function chainOf(...policies: readonly string[]): string {
  const steps = policies.map((policy, index) => {
    const skip = policy.endsWith("?") ? ", onError: skip" : "";
    return `{ policy: ${policy.replace("?", "")}@1.0.0, name: step-${index}${skip}, timeout: 100ms }`;
  });
  return `version: 1\nchains: { chain: { steps: [${steps.join(", ")}] } }\nroutes: { route: chain }\n`;
}
