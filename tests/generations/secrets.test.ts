import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createSecrets } from "../../src/generations/secrets.ts";

test("of secrets that begin alike nothing is left over", () => {
  const secrets = createSecrets({ SHORT: "secret", LONG: "secret-and-more" });
  secrets.read({ kind: "env", name: "SHORT" });
  secrets.read({ kind: "env", name: "LONG" });
  expect(secrets.redact("a secret-and-more b secret c")).toBe("a [redacted] b [redacted] c");
});

test.for(["constructor", "toString", "__proto__"])("the variable `%s` is not set", (name) => {
  expect(createSecrets(process.env).read({ kind: "env", name })).toEqual({ missing: "the variable is not set" });
});

test("what is no file is not read: a pipe would stop the engine until somebody writes", () => {
  const folder = mkdtempSync(join(tmpdir(), "secrets-"));
  const pipe = join(folder, "pipe");
  spawnSync("mkfifo", [pipe]);
  expect(createSecrets({}).read({ kind: "file", name: pipe })).toEqual({ missing: "the path is no file" });
  expect(createSecrets({}).read({ kind: "file", name: folder })).toEqual({ missing: "the path is no file" });
  rmSync(folder, { recursive: true });
});

test("of a secret that is rotated for ever the old values are forgotten one day, of one in use never", () => {
  const environment: Record<string, string> = { FIXED: "fixed-secret" };
  const secrets = createSecrets(environment);
  for (let round = 0; round <= 10_000; round++) {
    environment.ROTATED = `rotated-${round}-secret`;
    secrets.read({ kind: "env", name: "ROTATED" });
    secrets.read({ kind: "env", name: "FIXED" });
  }
  expect(secrets.redact("rotated-0-secret rotated-9999-secret fixed-secret")).toBe("rotated-0-secret [redacted] [redacted]");
});
