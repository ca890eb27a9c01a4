/** Which certificates the engine starts with, and which replace the one in use. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { watchServerTls } from "../../src/engine/server-tls.ts";
import { createLog } from "../../src/observe/log.ts";
import { certificateAuthority, privateKeyPem, serverCertificate } from "../support/certificates.ts";
import { byRename, inPlace } from "../support/replace-file.ts";

const folder = mkdtempSync(join(tmpdir(), "server-tls-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const authority = certificateAuthority("authority");
const [engine, other] = [serverCertificate("engine", authority), serverCertificate("other", authority)];
const good = { certificate: engine.pem, key: privateKeyPem(engine), clientCa: authority.pem };

let count = 0;
function written(texts: Readonly<Record<keyof typeof good, string | undefined>>) {
  const own = `${count++}`;
  const write = (name: string, text: string | undefined): string => {
    const path = join(folder, `${own}-${name}.pem`);
    if (text !== undefined) writeFileSync(path, text);
    return path;
  };
  return { certificate: write("certificate", texts.certificate), key: write("key", texts.key), clientCa: write("ca", texts.clientCa) };
}

function recordedLog() {
  const lines: string[] = [];
  return { lines, log: createLog({ level: "debug", redact: (text) => text, destination: { write: (line) => void lines.push(line) } }) };
}

describe("an engine does not start with", () => {
  test.each([
    ["no certificate", { ...good, certificate: undefined }, /cannot read `.*-certificate\.pem`: it does not exist/],
    ["something else than a certificate", { ...good, certificate: "hello" }, /certificate\.pem` holds no certificate/],
    ["the key of another certificate", { ...good, key: privateKeyPem(other) }, /cannot be used together/],
    ["an empty file of authorities, which would mean everybody's", { ...good, clientCa: "" }, /ca\.pem` holds no certificate/],
  ])("%s", async (_what, texts, message) => {
    const { log, lines } = recordedLog();
    await expect(watchServerTls(written(texts), log)).rejects.toThrow(message);
    expect(lines).toEqual([]);
  });
});

test("what does not fit together is refused and named, what fits is handed on, and no key is in the log", async () => {
  const { log, lines } = recordedLog();
  const files = written(good);
  const tls = await watchServerTls(files, log);
  const seen: string[] = [];
  tls.watch(({ certificate }) => void seen.push(certificate));
  expect(tls.read()).toEqual(good);
  expect(tls.expiresAtMs()).toBeGreaterThan(Date.now());

  await inPlace(files.key, privateKeyPem(other));
  await expect.poll(() => lines.join("")).toContain("the engine's new certificate is refused");
  expect(tls.read()).toEqual(good);
  await byRename(files.certificate, other.pem);
  await expect.poll(() => seen).toEqual([other.pem]);
  expect(tls.read()).toEqual({ certificate: other.pem, key: privateKeyPem(other), clientCa: authority.pem });
  expect(lines.join("")).not.toContain("PRIVATE KEY");
  await tls.close();
});
