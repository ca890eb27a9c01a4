/** The cases of h2spec, one server for all of them. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findGoTool } from "../../../scripts/go-tools.ts";
import { holdPort } from "../../../scripts/processes/free-port.ts";

/** Priorities: RFC 9113 5.3 has done away with them. */
const notOurs = ["http2/5.3.1/1", "http2/5.3.1/2"];
/** Some cases send a frame that may cross an answer: they must pass once. */
const triesMax = 3;

const h2spec = findGoTool("h2spec");

test("no case ends the server, and none fails always", { timeout: 180_000 }, async ({ skip }) => {
  if (h2spec === undefined) return skip("h2spec is not here: `npm run go-tools` builds it with Go, or set H2SPEC");
  const held = await holdPort();
  await held.release();
  const folder = mkdtempSync(join(tmpdir(), "h2spec-"));
  const server = spawn(process.execPath, [join(import.meta.dirname, "serve.ts"), String(held.port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(server.stdout, "data");
    const report = join(folder, "report.xml");
    const ask = (...cases: readonly string[]): readonly Case[] => {
      spawnSync(h2spec, ["-h", "127.0.0.1", "-p", String(held.port), "-o", "2", "-j", report, ...cases], { stdio: "ignore" });
      return readReport(readFileSync(report, "utf8"));
    };
    const all = ask();
    expect(all).toHaveLength(145);
    let failing = all.filter(({ id, passed }) => !passed && !notOurs.includes(id)).map(({ id }) => id);
    for (let tries = 1; tries < triesMax && failing.length > 0; tries++)
      failing = failing.filter((id) => ask(id).some(({ passed }) => !passed));
    expect(failing).toEqual([]);
    expect(server.exitCode).toBeNull();
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});

interface Case {
  /** As h2spec takes it: section and number. */
  readonly id: string;
  readonly passed: boolean;
}

/** JUnit as h2spec writes it: a case is in the package of its section, in order; one that did not pass has something inside. */
function readReport(xml: string): readonly Case[] {
  const counts = new Map<string, number>();
  return [...xml.matchAll(/<testcase package="([^"]+)"[^>]*>([\s\S]*?)<\/testcase>/g)].map(([, section = "", inside = ""]) => {
    const number = (counts.get(section) ?? 0) + 1;
    counts.set(section, number);
    return { id: `${section}/${number}`, passed: inside.trim() === "" };
  });
}
