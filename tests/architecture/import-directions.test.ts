/** Who may import whom: each direction of ARCHITECTURE.md planted once as it must be and once as it must not be. */
import { describe, expect, test } from "vitest";
import { lintPlanted } from "./lint.ts";

interface Direction {
  /** The folder that imports. */
  readonly from: string;
  readonly may: readonly string[];
  readonly mayNot: readonly string[];
}

const sdk = "@envoy-policy-engine/sdk";

const directions: readonly Direction[] = [
  { from: "src/sdk", may: [], mayNot: ["../errors.ts", "../config/types.ts", "node:buffer", "yaml", "./other.ts"] },
  { from: "src", may: ["node:crypto"], mayNot: ["./config/types.ts", "./sdk/index.ts", "yaml", "node:fs"] },
  { from: "src/files", may: ["./read-files.ts", "node:fs"], mayNot: ["../errors.ts", "../config/types.ts", "yaml"] },
  {
    from: "src/observe",
    may: ["./metrics.ts", "pino", "../errors.ts"],
    mayNot: ["../worker/run.ts", "../kernel/transport.ts", "../config/types.ts", sdk],
  },
  {
    from: "src/expressions",
    may: ["./cel.ts", sdk, "../suggest.ts", "re2js"],
    mayNot: ["../config/types.ts", "../worker/run.ts", "yaml", "node:fs"],
  },
  {
    from: "src/config",
    may: ["./parse.ts", "../expressions/cel.ts", "../errors.ts", sdk, "yaml", "ajv/dist/2020.js"],
    mayNot: [
      "../worker/run.ts",
      "../kernel/transport.ts",
      "../providers/file.ts",
      "../files/watch.ts",
      "../main.ts",
      "node:fs",
      "node:fs/promises",
      "node:net",
    ],
  },
  { from: "src/resilience", may: ["../observe/log.ts"], mayNot: ["../worker/run.ts", "../kernel/transport.ts", "../config/types.ts"] },
  {
    from: "src/worker",
    may: ["./run.ts", "../config/types.ts", "../expressions/expression.ts", "../observe/step-counters.ts", sdk],
    mayNot: [
      "../kernel/process-exchange.ts",
      "../kernel/wire/encode.ts",
      "../generated/proto/envoy/service/ext_proc/v3/external_processor.ts",
      "../generated/registry.ts",
      "../transport/grpc-js.ts",
      "../providers/file.ts",
      "../files/watch.ts",
      "../config/../kernel/transport.ts",
      "./../kernel/transport.ts",
      "../../policies/set-header/v1.0.0/index.ts",
      "@grpc/grpc-js",
      "yaml",
      "node:fs",
      "node:http",
    ],
  },
  {
    from: "src/engine",
    may: ["../generations/holder.ts", "../providers/provider.ts", "../kernel/exchange-counters.ts", "../worker/policy-host.ts"],
    mayNot: ["../cli/main.ts", "../testing/test-engine.ts", "../main.ts", "../../policies/set-header/v1.0.0/index.ts"],
  },
  {
    from: "src/processes",
    may: [
      "./protocol.ts",
      "../engine/serving.ts",
      "../config/settings.ts",
      "../providers/pace.ts",
      "../admin/server.ts",
      "node:child_process",
    ],
    mayNot: [
      "../cli/serve.ts",
      "../main.ts",
      "../kernel/kernel.ts",
      "../worker/run.ts",
      "../transport/grpc-js.ts",
      "../generated/registry.ts",
    ],
  },
  {
    from: "src/embed",
    may: ["../main.ts", "../config/settings.ts", "../providers/code.ts"],
    mayNot: ["../cli/main.ts", "../testing/test-engine.ts", "../generated/registry.ts", "../../policies/set-header/v1.0.0/index.ts"],
  },
  {
    from: "src/generations",
    may: ["../config/check.ts", "../worker/bind.ts"],
    mayNot: ["../kernel/route-table.ts", "../transport/grpc-js.ts", "../providers/file.ts", "../generated/registry.ts"],
  },
  {
    from: "src/kernel",
    may: ["./wire/encode.ts", "../worker/run.ts", "../config/types.ts", "../generations/generation.ts"],
    mayNot: [
      "../transport/grpc-js.ts",
      "../providers/file.ts",
      "../admin/server.ts",
      "../cli/main.ts",
      "../main.ts",
      "@grpc/grpc-js",
      "yaml",
      "node:fs",
      "../generated/proto/grpc/health/v1/health.ts",
    ],
  },
  {
    from: "src/kernel/wire",
    may: ["./decode.ts", "../../generated/proto/envoy/type/v3/http_status.ts", "../../worker/header-store.ts", "@bufbuild/protobuf/wire"],
    mayNot: ["../../config/types.ts", "../../transport/grpc-js.ts", "../../providers/file.ts", "@grpc/grpc-js", "node:fs"],
  },
  {
    from: "src/diff",
    may: ["./diff-values.ts", "../config/types.ts", "../envoy-config/demands.ts"],
    mayNot: ["../worker/chain.ts", "../generations/prepare.ts", "../cli/main.ts", "../envoy-config/../worker/run.ts", "yaml", "node:fs"],
  },
  {
    from: "src/explain",
    may: [
      "./request-file.ts",
      "../config/types.ts",
      "../diff/diff-values.ts",
      "../worker/bind.ts",
      "../kernel/exchange-recorder.ts",
      "../testing/in-turn.ts",
    ],
    mayNot: [
      "../cli/main.ts",
      "../main.ts",
      "../engine/policy-host.ts",
      "../admin/server.ts",
      "../transport/grpc-js.ts",
      "yaml",
      "node:fs",
      "node:http",
    ],
  },
  {
    from: "src/editor-schemas",
    may: ["./parts.ts", "../config/schema-parts.ts", "../testing/case-schema.ts"],
    mayNot: ["../testing/test-engine.ts", "../worker/run.ts", "../cli/main.ts", "../generated/registry.ts", "yaml", "node:fs"],
  },
  {
    from: "src/doctor",
    may: ["./finding.ts", "../config/value-node.ts", "../envoy-config/check.ts", "../errors.ts"],
    mayNot: [
      "../engine/outgoing-fetch.ts",
      "../kernel/route-identity.ts",
      "../worker/run.ts",
      "../cli/main.ts",
      "node:http",
      "node:timers",
    ],
  },
  {
    from: "src/envoy-config",
    may: [
      "./field.ts",
      "../config/parse.ts",
      "../worker/chain.ts",
      "../kernel/body-mode.ts",
      "../kernel/route-identity.ts",
      "../errors.ts",
    ],
    mayNot: [
      "../worker/run.ts",
      "../kernel/process-exchange.ts",
      "../kernel/wire/encode.ts",
      "../cli/main.ts",
      "yaml",
      "node:fs",
      "node:net",
    ],
  },
  {
    from: "src/kernel/codings",
    may: ["./coder.ts", "node:zlib", "node:stream"],
    mayNot: ["../transport.ts", "../../worker/header-store.ts", "../../errors.ts", "./../transport.ts", "node:fs", "node:http"],
  },
  {
    from: "src/transport",
    may: ["../kernel/transport.ts", "../generated/proto/grpc/health/v1/health.ts", "@grpc/grpc-js"],
    mayNot: ["../kernel/process-exchange.ts", "../kernel/wire/encode.ts", "../worker/run.ts", "../config/types.ts", "yaml"],
  },
  {
    from: "src/transport/native",
    may: ["./limits.ts", "./http2/connection.ts", "../../kernel/transport.ts", "../socket-path.ts", "../tls-context.ts", "node:net"],
    mayNot: ["../grpc-js.ts", "../../kernel/process-exchange.ts", "../../config/types.ts", "@grpc/grpc-js", "node:http2", "node:fs"],
  },
  {
    from: "src/transport/native/hpack",
    may: ["./huffman-code.ts", "node:buffer"],
    mayNot: ["../limits.ts", "../http2/connection.ts", "../../../kernel/transport.ts", "node:net", "node:fs"],
  },
  {
    from: "src/transport/native/http2",
    may: ["./stream.ts", "../hpack/hpack-decoder.ts", "../limits.ts"],
    mayNot: ["../grpc/call.ts", "../socket-connection.ts", "../../../kernel/transport.ts", "node:net", "node:timers"],
  },
  {
    from: "src/transport/native/grpc",
    may: ["../http2/stream.ts", "../../../kernel/transport.ts", "../../../generated/proto/grpc/health/v1/health.ts"],
    mayNot: ["../socket-connection.ts", "../../grpc-js.ts", "../../../kernel/wire/decode.ts", "node:net"],
  },
  {
    from: "src/providers",
    may: ["../config/types.ts", "../files/watch.ts", "../generated/proto/envoy/service/discovery/v3/discovery.ts", "@grpc/grpc-js"],
    mayNot: ["../worker/run.ts", "../kernel/transport.ts", "../generations/prepare.ts", "../transport/grpc-js.ts", "yaml", "node:http"],
  },
  {
    from: "src/admin",
    may: ["node:http", "../observe/metrics.ts"],
    mayNot: ["../kernel/route-table.ts", "../worker/run.ts", "../config/types.ts", "../generations/holder.ts"],
  },
  {
    from: "src/testing",
    may: ["../config/check.ts", "../generations/prepare.ts", "../worker/run.ts", "../kernel/process-exchange.ts"],
    mayNot: ["../transport/grpc-js.ts", "../providers/file.ts", "../cli/main.ts", "../../policies/set-header/v1.0.0/index.ts"],
  },
  {
    from: "src/cli",
    may: ["../main.ts", "../config/check.ts", "../generated/registry.ts", "../../builder/discover.ts", "commander"],
    mayNot: ["../../tests/closing-line.ts", "../../policies/set-header/v1.0.0/index.ts", "../../scripts/envoy.mjs"],
  },
  {
    from: "builder",
    may: ["../src/config/manifest.ts", "../src/sdk/index.ts", "../src/errors.ts", "../src/testing/case-format.ts"],
    mayNot: [
      "../src/kernel/transport.ts",
      "../src/worker/run.ts",
      "../src/main.ts",
      "../src/testing/test-engine.ts",
      "../src/generated/registry.ts",
      "../tests/closing-line.ts",
      "../policies/set-header/v1.0.0/index.ts",
    ],
  },
  { from: "src/testing/parts", may: ["../../worker/run.ts"], mayNot: ["../../transport/grpc-js.ts", "../../../tests/closing-line.ts"] },
  {
    from: "src/cli/parts",
    may: ["../../main.ts"],
    mayNot: ["../../../policies/set-header/v1.0.0/index.ts", "../../../tests/closing-line.ts"],
  },
  { from: "builder/parts", may: ["../../src/config/manifest.ts"], mayNot: ["../../src/worker/run.ts", "../../src/main.ts"] },
  { from: "scripts/demo", may: ["../../src/errors.ts"], mayNot: ["../../tests/closing-line.ts"] },
  { from: "tests/config", may: ["../../src/kernel/transport.ts", "../closing-line.ts", "../../scripts/envoy.mjs"], mayNot: [] },
];

const refusals: readonly string[] = (await lintPlanted(Object.fromEntries(directions.flatMap(plantedFiles))))
  .filter(({ rule }) => rule === "lint/style/noRestrictedImports")
  .map(({ path }) => path);

describe.each(directions)("$from", ({ from, may, mayNot }) => {
  test.each(may)("may import %s", (specifier) => {
    expect(filesFor(from, specifier).filter((path) => refusals.includes(path))).toEqual([]);
  });

  test.each(mayNot)("may not import %s", (specifier) => {
    expect(filesFor(from, specifier).filter((path) => refusals.includes(path))).toEqual(filesFor(from, specifier));
  });
});

/** An import of a value and one of a type: neither may slip through. */
function plantedFiles({ from, may, mayNot }: Direction): readonly (readonly [string, string])[] {
  return [...may, ...mayNot].flatMap((specifier) => {
    const [value = "", type = ""] = filesFor(from, specifier);
    return [
      [value, `import "${specifier}";\n`],
      [type, `import type { Some } from "${specifier}";\nexport type Other = Some;\n`],
    ] as const;
  });
}

function filesFor(from: string, specifier: string): readonly string[] {
  const name = specifier.replace(/[^a-z0-9]+/g, "-");
  return [`${from}/planted-value${name}.ts`, `${from}/planted-type${name}.ts`];
}
