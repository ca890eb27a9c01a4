/** What `policy-engine envoy` prints, whole. `tests/envoy/printed.test.ts` gives each of these files to a real Envoy. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseYaml } from "../../../src/config/parse.ts";
import { checkEnvoy } from "../../../src/envoy-config/check.ts";
import type { EnvoyDemands } from "../../../src/envoy-config/demands.ts";
import { printEnvoy } from "../../../src/envoy-config/print.ts";
import { policies } from "../../../src/generated/registry.ts";
import { expectGolden } from "../goldens.ts";
import { demandsOf, exampleText, type WrittenChain, writtenDemands } from "./support.ts";

const upstream = { host: "127.0.0.1", port: 8080 };
const goldens = fileURLToPath(new URL("printed", import.meta.url));

const reading = `
version: 1
chains:
  inside:
    steps:
      - policy: set-header@2
        when: source.address.startsWith("10.") && source.port > 1024
        parameters: { request: [{ setFrom: { name: x-tier, expression: 'route.metadata[?"tier"].orValue("none")' } }] }
routes: { orders: inside, "a name, \\"with\\" 100%/": inside }
unmatched: inside
`;

const cases: readonly (readonly [name: string, demands: () => EnvoyDemands | Promise<EnvoyDemands>])[] = [
  ["demo", () => demandsOf(exampleText("demo/settings.yaml"), exampleText("demo/policies.yaml"), policies)],
  ["simple", () => demandsOf(exampleText("simple/settings.yaml"), exampleText("simple/policies.yaml"), policies)],
  [
    "without-override",
    () =>
      demandsOf(
        "version: 1\nproviders: [{ file: { paths: [x] } }]\nenvoy: { responseHeaders: sent, messageTimeout: 250ms }\n",
        exampleText("simple/policies.yaml"),
        policies,
      ),
  ],
  ["expressions", () => demandsOf("version: 1\nproviders: [{ file: { paths: [x] } }]\nenvoy: { identity: metadata }\n", reading, policies)],
  ["workers", () => writtenDemands({ workers: 3, listen: [{ kind: "unix", path: "/run/engine.sock" }] })],
  [
    "bodies",
    () =>
      writtenDemands({
        settings: { identity: "attributes", bodyBytesMax: 1024 },
        listen: [{ kind: "unix", path: "/run/engine/0.sock" }],
        routes: { upload: "upload", download: "download", both: "both", stream: "stream" },
        chains: {
          upload: { requestBody: "buffered", mutates: ["path", "host"] },
          download: { responseHeaders: true, responseBody: "buffered" },
          both: { requestBody: "buffered", responseBody: "buffered", responseHeaders: true },
          stream: { requestBody: "streamed", responseBody: "streamed", responseHeaders: true },
        },
      }),
  ],
  [
    "passing-bodies",
    () =>
      writtenDemands({
        routes: { stream: "stream" },
        chains: { stream: { requestBody: "streamed", responseBody: "streamed", responseHeaders: true } },
      }),
  ],
  [
    "names",
    () =>
      writtenDemands({
        listen: [
          { kind: "tcp", host: "engine.internal", port: 9100 },
          { kind: "tcp", host: "::", port: 0 },
        ],
        drainDelayMs: 1000,
        unmatched: { kind: "pass" },
      }),
  ],
  ["tls", () => writtenDemands({ tls: { certificate: "/a/engine.pem", key: "/a/engine-key.pem", clientCa: undefined } })],
  [
    "mtls",
    () =>
      writtenDemands({
        listen: [{ kind: "tcp", host: "engine.internal", port: 9100 }],
        tls: { certificate: "/a/engine.pem", key: "/a/engine-key.pem", clientCa: "/a/clients.pem" },
      }),
  ],
];

describe("what is printed", () => {
  test.each(cases)("%s", async (name, demands) => {
    const text = printEnvoy(await demands(), { upstream });
    expectGolden(join(goldens, `${name}.golden.yaml`), text);
    expect(text.split("\n").filter((line) => line.length > 140)).toEqual([]);
  });

  test.each(cases)("has no findings: %s", async (_name, demands) => {
    const made = await demands();
    expect(checkEnvoy({ uri: "envoy.yaml", text: printEnvoy(made, { upstream }) }, made)).toEqual([]);
  });
});

const name = fc.oneof(fc.string({ unit: "binary", minLength: 1, maxLength: 12 }), fc.stringMatching(/^[a-c./ -]{1,4}$/)).filter(isName);
const chainName = fc.constantFrom("a", "b", "c");
const need = fc.constantFrom("none", "buffered", "streamed");
const chain: fc.Arbitrary<WrittenChain> = fc.record({
  requestBody: need,
  responseHeaders: fc.boolean(),
  responseBody: need,
  mutates: fc.subarray(["path", "query", "method", "host"]),
  reads: fc.subarray(["source.address", "source.port", "xds.route_metadata.filter_metadata['policy.engine']['x: \"y']"]),
});

test("printing never throws, and what it prints has a route for each name, all different, and no findings", () => {
  fc.assert(
    fc.property(
      fc.record({
        settings: fc.record({
          identity: fc.constantFrom("both", "attributes", "metadata"),
          allowModeOverride: fc.boolean(),
          responseHeaders: fc.constantFrom("sent", "skipped"),
          messageTimeoutMs: fc.integer({ min: 10, max: 3_600_000 }),
          bodyBytesMax: fc.integer({ min: 1, max: 1024 ** 3 }),
          metadata: fc.constantFrom(undefined, []),
        }),
        drainDelayMs: fc.integer({ min: 0, max: 600_000 }),
        routes: fc.dictionary(name, fc.option(chainName), { maxKeys: 8, noNullPrototype: true }),
        unmatched: fc.oneof(
          fc.constantFrom({ kind: "deny" } as const, { kind: "pass" } as const),
          chainName.map((chain) => ({ kind: "chain", chain }) as const),
        ),
        chains: fc.record({ a: chain, b: chain, c: chain }),
      }),
      (written) => {
        const demands = writtenDemands(written);
        const text = printEnvoy(demands, { upstream });
        expect(parseYaml({ uri: "envoy.yaml", text }).problems).toEqual([]);
        for (const route of demands.routes.keys()) expect(text).toContain(`- name: ${JSON.stringify(route).slice(0, 2)}`);
        const prefixes = [...text.matchAll(/path_separated_prefix: (\S+) /g)].map(([, prefix]) => prefix);
        expect(new Set(prefixes).size).toBe(demands.routes.size);
        for (const prefix of prefixes) expect(prefix).toMatch(/^\/[\w~-]+$/);
        // A chain that no route uses is the configuration's affair, and so are names that metadata cannot carry.
        const found = checkEnvoy({ uri: "envoy.yaml", text }, demands).map(({ code }) => code);
        expect(found.filter((code) => code !== "envoy-chain-unreached" && code !== "envoy-route-name")).toEqual([]);
      },
    ),
    { seed: 5, numRuns: 300 },
  );
});

function isName(text: string): boolean {
  return text.trim() !== "" && text !== "__proto__";
}
