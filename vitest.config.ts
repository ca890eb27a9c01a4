import { defineConfig } from "vitest/config";
import { ClosingLine } from "./tests/closing-line.ts";

const withEnvoy = {
  include: ["tests/envoy/**/*.test.ts", "tests/lifecycle/**/*.test.ts"],
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Real processes with real clocks: one file at a time, and nothing beside them that takes the cores away.
  fileParallelism: false,
};

/** What the transport has no part in. */
const once = [
  // The data of the conformance cases.
  "tests/envoy/conformance/numbers.test.ts",
  // The builder.
  "tests/envoy/distribution.test.ts",
  // Envoy's configuration, and who reads it through its admin port.
  "tests/envoy/doctor/**",
  "tests/envoy/held-bodies.test.ts",
  "tests/envoy/printed.test.ts",
  // How tests start processes.
  "tests/envoy/processes.test.ts",
  // Signals and a log file; an issuer's keys; files and how they are replaced; where configuration comes from; what a parent and its
  // workers do with each other, and a file that they share.
  "tests/lifecycle/hang-up.test.ts",
  "tests/lifecycle/issuer-away.test.ts",
  "tests/lifecycle/kill-points.test.ts",
  "tests/lifecycle/providers.test.ts",
  "tests/lifecycle/worker-failures.test.ts",
  "tests/lifecycle/worker-records.test.ts",
];

export default defineConfig({
  test: {
    reporters: ["default", new ClosingLine()],
    allowOnly: false,
    projects: [
      {
        test: {
          name: "fast",
          include: ["src/**/*.test.ts", "builder/**/*.test.ts", "policies/**/*.test.ts", "tests/**/*.test.ts"],
          exclude: ["**/node_modules/**", "tests/containers/**", "tests/envoy/**", "tests/lifecycle/**"],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...withEnvoy, name: "envoy-grpc-js", provide: { transport: "grpc-js" }, sequence: { groupOrder: 1 } } },
      { test: { ...withEnvoy, name: "envoy-native", exclude: once, provide: { transport: "native" }, sequence: { groupOrder: 2 } } },
      {
        test: {
          name: "containers",
          include: ["tests/containers/**/*.test.ts"],
          // The first run on a machine fetches images.
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
