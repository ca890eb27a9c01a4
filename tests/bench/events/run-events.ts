/** Events through `mask` and past it, by turns, so that what the machine does besides meets both. */
import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { replaceAt } from "../../../scripts/processes/data.ts";
import { demoConfig } from "../../../scripts/processes/demo-configs.ts";
import { clusterPlace, envoyPlaces } from "../../../scripts/processes/envoy-bootstrap.ts";
import { portOf } from "../../../scripts/processes/free-port.ts";
import { type Stage, startStage } from "../../../scripts/processes/start-stage.ts";
import { printEnvoy } from "../../../src/envoy-config/print.ts";
import { policies } from "../../../src/generated/registry.ts";
import { demandsOf } from "../../config/envoy/support.ts";

/** Milliseconds. */
export interface Delays {
  /** From the request to the first event. */
  readonly first: number;
  /** From the upstream's writing of the next event to its arrival. */
  readonly next: number;
}

const config = `
version: 1
chains: { mask: { steps: [{ policy: mask@1, parameters: { response: { rules: [{ detect: email }] } } }] } }
routes: { mask: mask, plain: [] }
`;
const event = 'data: {"delta":"from a@b.cd"}\n\n';
const maskedEvent = 'data: {"delta":"from ***"}\n\n';
/** Of each kind, before any counts. */
const warmUps = 30;

/** Rejects when something does not start. */
export async function runEvents(count: number): Promise<{ readonly masked: readonly Delays[]; readonly alone: readonly Delays[] }> {
  let said: (answer: ServerResponse) => void = () => {};
  const upstream = createServer((_, answer) => {
    answer.writeHead(200, { "content-type": "text/event-stream" });
    answer.write(event);
    said(answer);
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const stage = await start(portOf(upstream));
  const agent = new Agent({ keepAlive: true });
  const measure = async (path: string): Promise<Delays> => {
    const upstreamAnswer = new Promise<ServerResponse>((resolve) => {
      said = resolve;
    });
    const asked = performance.now();
    const asking = request({ host: "127.0.0.1", port: stage.envoy.port, path, agent }).end();
    const [response]: IncomingMessage[] = await once(asking, "response");
    if (response === undefined) throw new Error("there is no response");
    const [part]: Buffer[] = await once(response, "data");
    const first = performance.now() - asked;
    if (String(part) !== (path === "/mask" ? maskedEvent : event)) throw new Error(`${path} has given ${part}`);
    const answer = await upstreamAnswer;
    const written = performance.now();
    const arrival = once(response, "data");
    answer.write(event);
    await arrival;
    const next = performance.now() - written;
    answer.end();
    await once(response.resume(), "end");
    return { first, next };
  };
  try {
    const masked: Delays[] = [];
    const alone: Delays[] = [];
    for (let turn = -warmUps; turn < count; turn += 1) {
      const delays = [await measure("/plain"), await measure("/mask")] as const;
      if (turn < 0) continue;
      alone.push(delays[0]);
      masked.push(delays[1]);
    }
    return { masked, alone };
  } finally {
    agent.destroy();
    await stage.close();
    upstream.close();
  }
}

/** The route `plain` does not ask the engine at all: Envoy alone. */
async function start(upstreamPort: number): Promise<Stage> {
  const demands = await demandsOf(await demoConfig("settings.yaml"), config, policies);
  const endpoint = { address: { socket_address: { address: "127.0.0.1", port_value: upstreamPort } } };
  const type = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute";
  return await startStage({
    policies: config,
    envoy: printEnvoy(demands, { upstream: { host: "127.0.0.1", port: 1 } }),
    bootstrap: (bootstrap) =>
      replaceAt(
        replaceAt(bootstrap, [...clusterPlace("upstream"), "load_assignment", "endpoints"], [{ lb_endpoints: [{ endpoint }] }]),
        [...envoyPlaces.routes, { name: "plain" }, "typed_per_filter_config"],
        { "envoy.filters.http.ext_proc": { "@type": type, disabled: true } },
      ),
  });
}
