import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SecretFiles, watchSecrets } from "../../src/generations/secret-files.ts";
import { createSecrets } from "../../src/generations/secrets.ts";

let folder: string;
let files: SecretFiles | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "secrets-"));
});

afterEach(async () => {
  await files?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("watching secret files", () => {
  test("tells of each file's changes, also while another one is away", async () => {
    const [one, two] = [join(folder, "one"), join(folder, "two")];
    writeFileSync(one, "1");
    writeFileSync(two, "1");
    let changes = 0;
    const failures: string[] = [];
    files = watchSecrets({ changed: () => void changes++, failed: (path) => void failures.push(path) });
    await files.watch([one, two]);
    // The first watch: what was read before may already be old.
    expect(changes).toBe(1);
    rmSync(one);
    await expect.poll(() => failures, { timeout: 5_000 }).toEqual([one]);
    writeFileSync(two, "2");
    await expect.poll(() => changes, { timeout: 5_000 }).toBe(2);
    await files.watch([one, two]);
    expect(changes).toBe(2);
  });
});

describe("reading secrets", () => {
  test("values are remembered to be removed from texts, short ones are not, and causes name no content", () => {
    writeFileSync(join(folder, "key"), "s3cr3t-value\n");
    const secrets = createSecrets({ SHORT: "abc", LONG: "long-secret" });
    expect(secrets.read({ kind: "file", name: join(folder, "key") })).toEqual({ value: "s3cr3t-value\n" });
    expect(secrets.read({ kind: "env", name: "LONG" })).toEqual({ value: "long-secret" });
    expect(secrets.read({ kind: "env", name: "SHORT" })).toEqual({ value: "abc" });
    expect(secrets.redact("s3cr3t-value and long-secret and abc")).toBe("[redacted] and [redacted] and abc");
    expect(secrets.read({ kind: "env", name: "NOT_SET" })).toEqual({ missing: "the variable is not set" });
    expect(secrets.read({ kind: "file", name: join(folder, "absent") })).toEqual({ missing: "the file cannot be read: ENOENT" });
    writeFileSync(join(folder, "large"), Buffer.alloc(64 * 1024 + 1));
    expect(secrets.read({ kind: "file", name: join(folder, "large") })).toEqual({ missing: "the file is larger than 65536 bytes" });
    expect(secrets.files()).toHaveLength(3);
  });
});
