/** Nothing that a policy throws, anywhere, takes the process down, and every exchange gets its answer meanwhile. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, Metadata } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Child, startChild } from "../../scripts/processes/child-process.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { type EngineDoes, engineDoes, envoyBytes } from "../conversations/conversation.ts";
import { extProcClient } from "../support/ext-proc-client.ts";

const answers: Readonly<Record<string, object>> = {
  fine: { answer: "request-headers" },
  "in-an-abort-listener": { reply: 504 },
  "in-an-async-abort-listener": { reply: 504 },
  "in-a-timer": { answer: "request-headers" },
  "nothing-readable-in-a-timer": { answer: "request-headers" },
  "in-a-promise": { answer: "request-headers" },
  "nothing-readable-in-a-promise": { answer: "request-headers" },
  "in-an-emitter": { answer: "request-headers" },
  "nothing-readable": { reply: 500, code: "policy-failed" },
  "in-the-background": { answer: "request-headers" },
  "in-the-log": { answer: "request-headers" },
};

let folder: string;
let engine: Child | undefined;
let client: Client | undefined;
const lines: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "survives-"));
  mkdirSync(join(folder, "policies"));
  const names = Object.keys(answers);
  const chains = names.map((name) => `  ${name}: { steps: [{ policy: ${name}@1.0.0, timeout: 20ms }] }`);
  const routes = names.map((name) => `${name}: ${name}`);
  writeFileSync(join(folder, "policies.yaml"), `version: 1\nchains:\n${chains.join("\n")}\nroutes: { ${routes.join(", ")} }\n`);
  writeFileSync(
    join(folder, "settings.yaml"),
    `version: 1
listen: ["unix:${folder}/engine.sock"]
admin: "tcp:127.0.0.1:0"
providers: [{ file: { paths: [policies.yaml] } }]
shutdown: { drainDelay: 0s, grace: 1s }
`,
  );
  const started = await startChild({
    name: "engine",
    command: process.execPath,
    args: [join(import.meta.dirname, "hostile-engine.ts"), "serve", "--settings", join(folder, "settings.yaml")],
    onLine: (line) => lines.push(line),
  });
  engine = started;
  const explain = (): string => started.lastLines().join("\n");
  await waitFor({ what: "the engine to be ready", timeoutMs: 10_000, explain }, async () =>
    lines.some((line) => line.includes('"msg":"ready"')) ? true : undefined,
  );
  client = extProcClient(`unix:${folder}/engine.sock`);
}, 20_000);

afterAll(async () => {
  await engine?.stop(3_000);
  client?.close();
  rmSync(folder, { recursive: true, force: true });
});

function ask(route: string): Promise<EngineDoes> {
  const metadata = new Metadata();
  metadata.set("x-route", `r:${route}`);
  if (client === undefined) throw new Error("there is no client");
  const call = client.makeBidiStreamRequest(
    "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer) => bytes,
    metadata,
  );
  return new Promise((resolve, reject) => {
    call.on("data", (bytes: Buffer) => resolve(engineDoes(bytes)));
    call.on("error", reject);
    call.write(envoyBytes({ message: "request-headers", headers: { ":method": "GET", ":path": "/" } }, true, route));
  });
}

test.for(Object.entries(answers))("%s", async ([route, answer]) => {
  expect(await ask(route)).toMatchObject(answer);
  // What was thrown later has been thrown by then.
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(engine?.running()).toBe(true);
  expect(await ask("fine")).toMatchObject({ answer: "request-headers" });
});

test("it is all in the log, and the process ends as it should", async () => {
  for (const text of ["in a listener", "in a timer", "in a promise", "in an emitter", "while it starts"]) {
    expect([...lines, ...(engine?.lastLines() ?? [])].join("\n")).toContain(text);
  }
  client?.close();
  expect(await engine?.stop(5_000)).toEqual({ code: 0, signal: null });
});
