/** Who may import whom: each direction of ARCHITECTURE.md planted once as it must be and once as it must not be. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Finding, lintPlanted } from "./lint.ts";

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
    from: "src/transport",
    may: ["../kernel/transport.ts", "../generated/proto/grpc/health/v1/health.ts", "@grpc/grpc-js"],
    mayNot: ["../kernel/process-exchange.ts", "../kernel/wire/encode.ts", "../worker/run.ts", "../config/types.ts", "yaml"],
  },
  {
    from: "src/providers",
    may: ["../config/types.ts", "../files/watch.ts"],
    mayNot: ["../worker/run.ts", "../kernel/transport.ts", "../generations/prepare.ts", "yaml"],
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
    may: ["../src/config/manifest.ts", "../src/sdk/index.ts", "../src/errors.ts"],
    mayNot: [
      "../src/kernel/transport.ts",
      "../src/worker/run.ts",
      "../src/main.ts",
      "../src/generated/registry.ts",
      "../tests/closing-line.ts",
      "../policies/set-header/v1.0.0/index.ts",
    ],
  },
  { from: "scripts", may: ["../builder/discover.ts", "../src/errors.ts"], mayNot: ["../tests/closing-line.ts"] },
  {
    from: "policies/set-header/v1.0.0",
    may: ["./header-name.ts", sdk, "node:crypto", "left-pad"],
    mayNot: [
      "../v2.0.0/index.ts",
      "../../authorize/v1.0.0/index.ts",
      "../../lib/keys/index.ts",
      "../../../src/worker/run.ts",
      "./../v2.0.0/index.ts",
      "node:fs",
      "node:fs/promises",
      "node:http",
      "node:timers/promises",
    ],
  },
  { from: "tests/config", may: ["../../src/kernel/transport.ts", "../closing-line.ts", "../../scripts/envoy.mjs"], mayNot: [] },
];

const rule = "lint/style/noRestrictedImports";
const fileFor = (from: string, index: number): string => `${from}/planted-${index}.ts`;

describe.each(directions)("$from", ({ from, may, mayNot }) => {
  let findings: readonly Finding[];

  beforeAll(async () => {
    const planted = [...may, ...mayNot].flatMap((specifier, index) => [
      [fileFor(from, 2 * index), `import "${specifier}";\n`],
      [fileFor(from, 2 * index + 1), `import type { Some } from "${specifier}";\nexport type Other = Some;\n`],
    ]);
    findings = (await lintPlanted(Object.fromEntries(planted))).filter((finding) => finding.rule === rule);
  });

  test.each(
    [...may, ...mayNot].map((specifier, index) => ({ specifier, index, verb: index < may.length ? "may import" : "may not import" })),
  )("$verb $specifier", ({ index }) => {
    const files = [fileFor(from, 2 * index), fileFor(from, 2 * index + 1)];
    const refused = files.filter((path) => findings.some((finding) => finding.path === path));
    expect(refused).toEqual(index < may.length ? [] : files);
  });
});
