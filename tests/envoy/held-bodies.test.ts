/** How large a body Envoy holds for the engine over HTTP/2: its stream's window, 16 MiB unless something is said, and not the listener's limit. */
import { connect } from "node:http2";
import { expect, test } from "vitest";
import { replaceAt } from "../../scripts/processes/data.ts";
import { demoConfig } from "../../scripts/processes/demo-configs.ts";
import { checkEnvoy } from "../../src/envoy-config/check.ts";
import { printEnvoy } from "../../src/envoy-config/print.ts";
import { policies } from "../../src/generated/registry.ts";
import { demandsOf } from "../config/envoy/support.ts";
import { startTestStage } from "../support/test-stage.ts";

const configuration = `
version: 1
chains:
  reader: { steps: [{ policy: set-header@2, when: 'request.?json.?a.orValue("") == "x"', parameters: { request: [{ set: { name: x-a, value: "1" } }] } }] }
routes: { reader: reader }
`;
const settingsText = (await demoConfig("settings.yaml")).replace("envoy:\n", "envoy:\n  bodyBytesMax: 20MiB\n");
const bodyBytes = 17 * 1024 * 1024;

test("what is printed holds it; without the window it is a 413, and `--check` says so", async () => {
  const demands = await demandsOf(settingsText, configuration, policies);
  const printed = printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 8080 } });
  const bare = printed.replace(/ *http2_protocol_options: \{ initial_stream_window_size: \d+ \}\n/, "");
  expect(checkEnvoy({ uri: "envoy.yaml", text: printed }, demands)).toEqual([]);
  expect(checkEnvoy({ uri: "envoy.yaml", text: bare }, demands).map(({ code }) => code)).toEqual(["envoy-buffer"]);
  expect(await statusOf(printed)).toBe(200);
  expect(await statusOf(bare)).toBe(413);
});

async function statusOf(envoy: string): Promise<number> {
  const settings = (written: Parameters<typeof replaceAt>[0]) => replaceAt(written, ["envoy", "bodyBytesMax"], "20MiB");
  const stage = await startTestStage({ envoy, policies: configuration, settings });
  try {
    return await upload(stage.envoy.port);
  } finally {
    await stage.close();
  }
}

function upload(port: number): Promise<number> {
  const session = connect(`http://127.0.0.1:${port}`);
  const answer = new Promise<number>((resolve, reject) => {
    session.once("error", reject);
    const request = session.request({ ":method": "POST", ":path": "/reader", "content-type": "application/json" });
    request.once("response", ({ ":status": status = 0 }) => resolve(status));
    request.once("error", reject);
    request.end(Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(bodyBytes, "a"), Buffer.from('"}')]));
  });
  return answer.finally(() => session.destroy());
}
