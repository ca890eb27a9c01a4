/** What `policy-engine envoy` prints, in a real Envoy; and that what `--check` calls a way around the engine is one. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDemoIssuer } from "../../scripts/demo/demo-issuer.ts";
import { type DemoRequest, demoRequests } from "../../scripts/demo/requests.ts";
import { placeOf, runRequest } from "../../scripts/demo/run-request.ts";
import { findEnvoy } from "../../scripts/envoy.mjs";
import { demoConfig } from "../../scripts/processes/demo-configs.ts";
import { send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { checkEnvoy } from "../../src/envoy-config/check.ts";
import { printEnvoy } from "../../src/envoy-config/print.ts";
import { policies } from "../../src/generated/registry.ts";
import { demandsOf } from "../config/envoy/support.ts";
import { certificateAuthority, privateKeyPem } from "../support/certificates.ts";
import { startTestStage } from "../support/test-stage.ts";

const upstream = { host: "127.0.0.1", port: 8080 };
const goldens = fileURLToPath(new URL("../config/envoy/printed", import.meta.url));

describe("Envoy takes what is printed", () => {
  const folder = mkdtempSync(join(tmpdir(), "printed-"));
  const certificate = certificateAuthority("anybody");
  for (const name of ["ca", "client"]) writeFileSync(join(folder, `${name}.pem`), certificate.pem);
  writeFileSync(join(folder, "client-key.pem"), privateKeyPem(certificate));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(readdirSync(goldens))("%s", async (name) => {
    const path = join(folder, name);
    writeFileSync(path, readFileSync(join(goldens, name), "utf8").replaceAll("/etc/envoy/policy-engine/", `${folder}/`));
    const args = ["--mode", "validate", "--config-path", path, "--log-level", "warn"];
    const { stdout, stderr } = await promisify(execFile)(findEnvoy() ?? "envoy", args);
    expect(`${stdout}${stderr}`.trim()).toBe(`configuration '${path}' OK`);
  });
});

describe("the demo through the printed file", () => {
  const issuer = createDemoIssuer();
  let stage: Stage;

  beforeAll(async () => {
    stage = await startTestStage({
      policies: await issuer.policies(),
      envoy: readFileSync(join(goldens, "demo.golden.yaml"), "utf8"),
    });
    return () => stage.close();
  });

  test.for(demoRequests(issuer).flatMap(asPrinted))("$request.path, $title", async (demo, { task }) => {
    const { faults } = await runRequest(placeOf(stage), demo, task.id);
    expect(faults).toEqual([]);
  });
});

/** The printed file has other paths than the demo's own, and no route that the configuration does not know. */
function asPrinted(demo: DemoRequest): readonly DemoRequest[] {
  const { path } = demo.request;
  if (path.startsWith("/forgotten")) return [];
  return [{ ...demo, request: { ...demo.request, path: path.replace(/^\/(v\d)\/catalogue/, "/catalogue-$1") } }];
}

const locked = `
version: 1
chains: { locked: { steps: [{ policy: authorize@1, parameters: { rules: [] } }] } }
routes: { locked: locked }
`;

interface Bypass {
  readonly what: string;
  readonly code: string;
  readonly replace: string;
  readonly by: string;
  /** Default: it is running. */
  readonly engine?: "away";
  readonly upgrade?: string;
}

const bypasses: readonly Bypass[] = [
  { what: "an operator that does not exist", code: "envoy-operator", replace: "r:%ROUTE_NAME%", by: "r:%VIRTUAL_HOST_NAME%" },
  { what: "an operator that is not closed", code: "envoy-operator", replace: "r:%ROUTE_NAME%", by: "r:%ROUTE_NAME" },
  {
    what: "fail open, in a word of older YAML",
    code: "envoy-fail-open",
    replace: "failure_mode_allow: false",
    by: "failure_mode_allow: yes",
    engine: "away",
  },
  {
    what: "observability",
    code: "envoy-observability",
    replace: "failure_mode_allow: false",
    by: "observability_mode: true",
  },
  {
    what: "a virtual host that is left out",
    code: "envoy-route-disabled",
    replace: 'domains: ["*"]',
    by: `domains: ["*"]
                      typed_per_filter_config:
                        envoy.filters.http.ext_proc:
                          "@type": type.googleapis.com/envoy.config.route.v3.FilterConfig
                          config: { "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute, disabled: true }`,
  },
  {
    what: "an upgrade with filters of its own",
    code: "envoy-upgrade-filters",
    replace: "stat_prefix: ingress",
    by: `stat_prefix: ingress
                upgrade_configs:
                  - upgrade_type: websocket
                    filters:
                      - { name: router, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router } }`,
    upgrade: "websocket",
  },
  { what: "no request headers", code: "envoy-request-headers", replace: "request_header_mode: SEND", by: "request_header_mode: SKIP" },
];

describe("a way around the engine, which `--check` names", () => {
  test.each(bypasses)("$what", async ({ code, replace, by, engine, upgrade }) => {
    const demands = await demandsOf(await demoConfig("settings.yaml"), locked, policies);
    const good = printEnvoy(demands, { upstream });
    const bad = good.replace(replace, () => by);
    expect(checkEnvoy({ uri: "envoy.yaml", text: bad }, demands).map((found) => found.code)).toEqual([code]);
    const headers = upgrade === undefined ? {} : { connection: "upgrade", upgrade };
    expect(await reaches(good, headers, engine)).toEqual([engine === "away" ? 503 : 403, 0]);
    expect(await reaches(bad, headers, engine)).toEqual([200, 1]);
  });
});

/** The status that the client gets, and how many requests get to the upstream. */
async function reaches(envoy: string, headers: Readonly<Record<string, string>>, engine: "away" | undefined): Promise<readonly number[]> {
  const stage = await startTestStage({ envoy, policies: locked });
  try {
    if (engine === "away") await stage.engine.stop();
    const { status } = await send(stage.envoy.port, { path: "/locked", headers });
    return [status, stage.upstream.requests.length];
  } finally {
    await stage.close();
  }
}
