import { defineConfig } from "vitest/config";
import { ClosingLine } from "./tests/closing-line.ts";

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
      {
        test: {
          name: "envoy",
          include: ["tests/envoy/**/*.test.ts", "tests/lifecycle/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Real processes with real clocks: one file at a time, and nothing beside them that takes the cores away.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "containers",
          include: ["tests/containers/**/*.test.ts"],
          // The first run on a machine fetches images.
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
