/** `policy-engine explain` as somebody types it: offline, and against a running engine. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Metadata } from "@grpc/grpc-js";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, onTestFinished, test } from "vitest";
import { holdPort } from "../../scripts/processes/free-port.ts";
import { send } from "../../scripts/processes/send.ts";
import { startEngine } from "../../scripts/processes/start-engine.ts";
import { explanationSchema, requestSchema } from "../../src/editor-schemas/explanation.ts";
import { engineDoes, envoyBytes } from "../conversations/conversation.ts";
import { extProcClient } from "../support/ext-proc-client.ts";
import { fileWith, runCli } from "./run-cli.ts";

const ajv = new Ajv2020({ strict: false, formats: { "date-time": true } });
const isExplanation = ajv.compile(explanationSchema);
const isRequest = ajv.compile(requestSchema);

const policies = (user: string): string => `version: 1
chains:
  api:
    steps:
      - policy: set-header@1.0.0
        name: tier
        when: request.headers[?"x-tier"].orValue("none") == "gold"
        parameters: { request: [{ name: x-limit, set: high }] }
      - policy: set-header@1.0.0
        name: user
        parameters: { request: [{ name: x-user, set: ${user} }] }
  keys: { steps: [{ policy: api-key-validation@1, name: auth, parameters: { keys: [] } }, { policy: set-header@1.0.0, name: late, parameters: { request: [{ name: x-a, set: b }] } }] }
routes: { users: api, admin: keys }
`;
const request = 'route: users\nnow: "2026-01-01T00:00:00Z"\nrequest: { path: /a, headers: { x-tier: silver } }\n';

/** Durations are those of the machine. */
const timeless = (text: string): string => text.replaceAll(/ +\d+(?:\.\d+)? ms/g, " T ms");

describe("offline", () => {
  test("a timeline for people", () => {
    const { status, stdout, stderr } = runCli("explain", "--config", fileWith(policies("alice")), "--request", fileWith(request));
    expect([status, stderr]).toEqual([0, ""]);
    expect(timeless(stdout)).toBe(`GET /a
went on to the upstream
  route "users", chain api, generation 1
  2026-01-01T00:00:00.000Z, T ms, id test-1
  \`routes\` of the configuration names the chain; the route came by attributes and metadata

request
  tier  skipped            set-header@1.0.0
      when   request.headers[?"x-tier"].orValue("none") == "gold" = false
             request.headers[?"x-tier"]                  "silver"
             request.headers[?"x-tier"].orValue("none")  "silver"
  user  ran T ms  set-header@1.0.0
      +      request header x-user: alice

Envoy was told
  request-headers    go on with
      set    x-user: alice

the upstream got
  GET /a
      x-tier: silver
      x-user: alice

the client got
  200
`);
  });

  test("who has replied and why, and what was not reached", () => {
    const { stdout } = runCli("explain", "--config", fileWith(policies("alice")), "--route", "admin");
    expect(stdout).toMatch(/^GET \/\n401 api-key-missing by the step auth: /);
    expect(stdout).toMatch(/\n {2}late {2}not-reached /);
    expect(stdout).toMatch(/the upstream got\n {2}nothing\n/);
  });

  test("--json is what its schema says, and so is the request", () => {
    expect(isRequest({ route: "users", request: { path: "/a" } })).toBe(true);
    for (const route of ["users", "admin"]) {
      const { stdout } = runCli("explain", "--config", fileWith(policies("alice")), "--route", route, "--json");
      expect([isExplanation(JSON.parse(stdout)), isExplanation.errors]).toEqual([true, null]);
    }
  });

  test("--what-if shows what differs and nothing else", () => {
    const compare = (other: string, ...more: readonly string[]) =>
      runCli(
        "explain",
        "--config",
        fileWith(policies("alice")),
        "--what-if",
        fileWith(policies(other)),
        "--request",
        fileWith(request),
        ...more,
      );
    expect(compare("alice").stdout).toBe("nothing differs\n");
    const { stdout } = compare("bob", "--json");
    expect(isExplanation(JSON.parse(stdout))).toBe(true);
    expect(JSON.parse(stdout)).toEqual({
      differences: [
        { path: 'steps["user (request)"].changes["request-header x-user"].after[0]', from: "alice", to: "bob" },
        { path: 'told.request-headers.headers["set x-user"][0]', from: "alice", to: "bob" },
        { path: "upstream.headers.x-user[0]", from: "alice", to: "bob" },
      ],
    });
  });

  test.for<[string, readonly string[], number, RegExp]>([
    ["without a route", ["--config", "CONFIG"], 2, /name the route/],
    ["without a configuration or an engine", ["--route", "users"], 2, /name its settings with --settings/],
    ["with a time that is none", ["--config", "CONFIG", "--route", "users", "--now", "yesterday"], 2, /2026-01-01T00:00:00Z/],
    ["with a request that is none", ["--config", "CONFIG", "--request", "WRONG"], 1, /unknown-key.*rute/s],
    ["with a configuration that is refused", ["--config", "WRONG", "--route", "users"], 1, /error\[/],
  ])("%s: says what to do", ([, args, status, text]) => {
    const files: Readonly<Record<string, string>> = { CONFIG: fileWith(policies("alice")), WRONG: fileWith("rute: users\n") };
    const answer = runCli("explain", ...args.map((arg) => files[arg] ?? arg));
    expect([answer.status, answer.stdout]).toEqual([status, ""]);
    expect(answer.stderr).toMatch(text);
  });
});

describe("a running engine", () => {
  test.for([
    ["a summary", {}, /only the summary is kept/],
    ["a timeline", { recording: { exchangesMax: 10 } }, /^$/],
  ] as const)("--id finds %s of a reply, and without --config the configuration in use explains", async ([, more, words]) => {
    const folder = mkdtempSync(join(tmpdir(), "explain-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "policies.yaml"), policies("alice"));
    const [admin, own] = [await holdPort(), await holdPort()];
    await Promise.all([admin.release(), own.release()]);
    const providers = [{ file: { paths: ["policies.yaml"] } }];
    const shutdown = { drainDelay: "0s", grace: "1s" };
    const listen = [`tcp:127.0.0.1:${own.port}`];
    const settings = { version: 1, listen, admin: `tcp:127.0.0.1:${admin.port}`, providers, shutdown, ...more };
    const engine = await startEngine({ name: "engine", folder, adminPort: admin.port, settings });
    onTestFinished(async () => void (await engine.stop()));
    const id = await deniedBy(own.port);

    const file = join(folder, "engine.settings.yaml");
    const found = runCli("explain", "--settings", file, "--id", id);
    expect(found.stdout).toMatch(/401 api-key-missing by the step auth: /);
    expect(found.stderr).toMatch(words);
    const json = JSON.parse(runCli("explain", "--settings", file, "--id", id, "--json").stdout);
    expect([isExplanation(json), json.id]).toEqual([true, id]);
    if (!("recording" in more)) return;
    expect(runCli("explain", "--settings", file, "--id", "unknown")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("nothing is kept"),
    });

    const asked = runCli("explain", "--settings", file, "--request", fileWith(request));
    expect([asked.status, asked.stdout]).toEqual([0, expect.stringContaining("+      request header x-user: alice")]);
    expect((await send(admin.port, { path: "/metrics" })).body).not.toMatch(/step_outcomes_total.*step="user".* [1-9]/);
  });
});

/** Sends a request without a key, as Envoy does, and resolves with the decision id of the reply. */
async function deniedBy(port: number): Promise<string> {
  const client = extProcClient(`127.0.0.1:${port}`);
  onTestFinished(() => client.close());
  const metadata = new Metadata();
  metadata.set("x-route", "r:admin");
  const call = client.makeBidiStreamRequest(
    "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer) => bytes,
    metadata,
  );
  const answer = new Promise<Buffer>((resolve, reject) => call.once("data", resolve).once("error", reject));
  call.write(envoyBytes({ message: "request-headers", headers: { ":method": "GET", ":path": "/" } }, true, "admin"));
  const does = engineDoes(await answer);
  if (!("reply" in does)) throw new Error("the engine has not replied");
  return String(does.headers?.["x-decision-id"]);
}
