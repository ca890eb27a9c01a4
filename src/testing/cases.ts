/**
 * `cases.yaml` of a policy: each case runs the policy alone in a chain of one step, without Envoy. The format is described in README.md; a
 * key that does not exist in it is an error, so that an expectation with a typing error cannot pass.
 */
import { isDeepStrictEqual } from "node:util";
import { stringify } from "yaml";
import type { JsonSchema, PolicyRegistry, PolicyRelease, SourceDocument } from "../config/types.ts";
import { readCases, type TestCase } from "./case-format.ts";
import {
  RefusedConfigurationError,
  startTestEngine,
  type TestBody,
  type TestExchange,
  type TestHeaders,
  type TestMessage,
} from "./test-engine.ts";

export interface CaseResult {
  readonly name: string;
  /** What did not come out as expected; empty when all did. */
  readonly differences: readonly string[];
}

const route = "case";
const seedPolicy = "given-metadata";

/**
 * Runs every case of a document.
 *
 * @throws when the document is no case file; the message has positions
 */
export async function runCases(document: SourceDocument, release: PolicyRelease, policies: PolicyRegistry): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  for (const one of readCases(document)) results.push({ name: one.name, differences: await runCase(one, release, policies) });
  return results;
}

async function runCase(one: TestCase, release: PolicyRelease, policies: PolicyRegistry): Promise<readonly string[]> {
  const { name, version } = release.manifest;
  const seed = one.metadata ?? {};
  const given = Object.keys(seed).length === 0 ? [] : [{ policy: `${seedPolicy}@1.0.0` }];
  const config = {
    version: 1,
    chains: { case: { steps: [...given, { policy: `${name}@${version}`, parameters: one.parameters ?? {} }] } },
    routes: { [route]: "case" },
  };
  const registry = new Map(policies).set(`${seedPolicy}@1.0.0`, seedRelease(seed, policies)).set(`${name}@${version}`, release);
  try {
    const engine = await startTestEngine({
      policies: registry,
      config: stringify(config),
      ...(one.now === undefined ? {} : { now: () => Date.parse(one.now ?? "") }),
    });
    try {
      return compare(await engine.exchange({ route, ...one.request }, one.response), one.expect);
    } finally {
      engine.close();
    }
  } catch (error) {
    if (!(error instanceof RefusedConfigurationError)) throw error;
    const { refused } = one.expect;
    if (refused === undefined) return [`the parameters were refused:\n${error.message}`];
    return error.message.includes(refused) ? [] : [`refused, but not because of \`${refused}\`:\n${error.message}`];
  }
}

function compare(seen: TestExchange, expected: TestCase["expect"]): readonly string[] {
  const differences: string[] = [];
  const differ = (what: string, wanted: unknown, found: unknown): void => {
    if (!isDeepStrictEqual(wanted, found)) differences.push(`${what}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`);
  };
  const lines = (what: string, wanted: TestHeaders | undefined, found: Readonly<Record<string, readonly string[]>>): void => {
    for (const [name, value] of Object.entries(wanted ?? {})) {
      differ(`${what} \`${name}\``, typeof value === "string" ? [value] : value, found[name.toLowerCase()] ?? []);
    }
  };
  const headers = (what: string, ...compared: [TestHeaders | undefined, TestMessage["headers"]]): void =>
    lines(`${what} header`, ...compared);
  const trailers = (what: string, ...compared: [TestHeaders | undefined, TestMessage["trailers"]]): void =>
    lines(`${what} trailer`, ...compared);
  if (expected.refused !== undefined) differences.push("the parameters were not refused");
  const [failure] = seen.failures;
  differ("failure", expected.failure, failure?.code);
  if (failure !== undefined && expected.failure === undefined) differences.push(`the step failed: ${String(failure.cause)}`);
  if (expected.failure === undefined) differ("reply", expected.reply?.code ?? (expected.reply && "reply"), seen.reply);
  if (expected.reply !== undefined) {
    if (expected.reply.status !== undefined) differ("reply status", expected.reply.status, seen.client.status);
    if (expected.reply.body !== undefined) differ("reply body", expected.reply.body, seen.client.body);
    headers("reply", expected.reply.headers, seen.client.headers);
  }
  if (expected.request !== undefined) {
    if (seen.upstream === undefined) differences.push("the request did not reach the upstream");
    else {
      headers("request", expected.request.headers, seen.upstream.headers);
      trailers("request", expected.request.trailers, seen.upstream.trailers);
      for (const part of ["method", "path", "host"] as const) {
        if (expected.request[part] !== undefined) differ(`request ${part}`, expected.request[part], seen.upstream[part]);
      }
      if (expected.request.body !== undefined) differ("request body", wholeText(expected.request.body), seen.upstream.body);
    }
  }
  if (expected.response?.status !== undefined) differ("response status", expected.response.status, seen.client.status);
  headers("response", expected.response?.headers, seen.client.headers);
  trailers("response", expected.response?.trailers, seen.client.trailers);
  if (expected.response?.body !== undefined) differ("response body", wholeText(expected.response.body), seen.client.body);
  for (const [key, value] of Object.entries(expected.metadata ?? {})) differ(`metadata \`${key}\``, value, seen.metadata[key]);
  return differences;
}

const wholeText = (body: TestBody): string => [body].flat().join("");

/** A step that writes what the case gives, with the schema of the policy that writes it in a real chain. */
function seedRelease(seed: Readonly<Record<string, unknown>>, policies: PolicyRegistry): PolicyRelease {
  const writes = Object.fromEntries(Object.entries(seed).map(([key, value]) => [key, writtenSchema(key, policies) ?? schemaOf(value)]));
  return {
    manifest: {
      name: seedPolicy,
      version: "1.0.0",
      summary: "Writes the metadata that a case gives.",
      sdk: 1,
      protects: false,
      metadata: { reads: [], writes },
      mutates: [],
      parameters: { type: "object", additionalProperties: false },
    },
    definition: {
      create: () => ({
        request: (exchange) => {
          for (const [name, value] of Object.entries(seed)) exchange.metadata.set({ name }, value);
        },
      }),
    },
    source: "case",
    hash: "",
  };
}

function writtenSchema(key: string, policies: PolicyRegistry): JsonSchema | undefined {
  for (const { manifest } of policies.values()) {
    const schema = manifest.metadata.writes[key];
    if (schema !== undefined) return schema;
  }
  return undefined;
}

/** The schema of exactly this value, for a key that no known policy writes. */
function schemaOf(value: unknown): JsonSchema {
  if (Array.isArray(value)) return { type: "array", items: schemaOf(value[0] ?? "") };
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    return {
      type: "object",
      properties: Object.fromEntries(entries.map(([name, part]) => [name, schemaOf(part)])),
      required: entries.map(([name]) => name),
    };
  }
  return { type: typeof value === "number" ? "number" : typeof value === "boolean" ? "boolean" : "string" };
}
