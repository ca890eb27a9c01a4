/** Exchanges through the kernel of one checkout, in process, without sockets: headers only, through five steps with conditions. */
import { resolve } from "node:path";
import { ProcessingRequest } from "../../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";

export type Kind = "plain" | "recorded";

const steps = [1, 2, 3, 4, 5].map((number) => ({
  policy: "set-header@1.0.0",
  name: `step-${number}`,
  when: `request.headers[?"x-tier"].orValue("none") != "${number}" && request.method == "GET"`,
  parameters: { request: [{ name: `x-${number}`, set: "value" }] },
}));
const config = JSON.stringify({ version: 1, chains: { chain: { steps } }, routes: { route: "chain" } });

/** Resolves with what sends that many exchanges, one after the other. */
export async function exchangesOf(checkout: string, kind: Kind): Promise<(count: number) => void> {
  const from = (path: string) => import(resolve(checkout, "src", path));
  const [
    { prepare },
    { createGenerationHolder },
    testing,
    { createInstancePool },
    { createKernel },
    counters,
    { createStepCounters },
    run,
    registry,
  ] = await Promise.all([
    from("generations/prepare.ts"),
    from("generations/holder.ts"),
    from("testing/test-engine.ts"),
    from("worker/instances.ts"),
    from("kernel/kernel.ts"),
    from("kernel/exchange-counters.ts"),
    from("observe/step-counters.ts"),
    from("worker/run.ts"),
    from("generated/registry.ts"),
  ]);
  const host = testing.testHost({ counters: createStepCounters() }, Date.now);
  const environment = testing.testCheckEnvironment(registry.policies, {});
  const redact = (text: string): string => text;
  const { prepared } = await prepare([{ uri: "config.yaml", text: config }], {
    ...environment,
    instances: createInstancePool(host),
    redact,
  });
  const generations = createGenerationHolder(Date.now, 0);
  generations.commit(prepared);
  const runHost = { ...host, monotonicMs: () => performance.now(), failed: () => {} };
  const recorder =
    kind === "recorded"
      ? (await from("kernel/exchange-recorder.ts")).createExchangeRecorder({
          ...environment,
          generations,
          runHost,
          now: Date.now,
          redact,
          done: () => {},
        })
      : undefined;
  let id = 0;
  const { open } = createKernel({
    generations,
    envoy: environment.envoy,
    counters: counters.createExchangeCounters(),
    engineMetadata: undefined,
    now: Date.now,
    monotonicMs: runHost.monotonicMs,
    newId: () => `id-${++id}`,
    ...(recorder && { recorder }),
    startRun:
      recorder?.startRun ?? ((...exchange: readonly unknown[]) => new run.ExchangeRun(exchange[0], exchange[1], runHost, exchange[2])),
    replied: () => {},
    piece: () => {},
    bodyNotSent: () => {},
  });

  const lines = [
    ":method:GET",
    ":path:/orders/1",
    ":authority:example.com",
    ":scheme:https",
    "x-tier:gold",
    "user-agent:bench",
    "accept:*/*",
  ];
  const headers = lines
    .map((line) => /^(:?[^:]+):(.*)$/.exec(line))
    .map((match) => ({ key: match?.[1] ?? "", rawValue: Buffer.from(match?.[2] ?? "") }));
  const message = ProcessingRequest.encode({
    request: { $case: "requestHeaders", value: { headers: { headers }, endOfStream: true } },
    attributes: { "envoy.filters.http.ext_proc": { "xds.route_name": "route" } },
  }).finish();
  const metadata = { get: (key: string) => (key === "x-route" ? "r:route" : undefined) };
  let bytes = 0;
  const told = (answer: Uint8Array): boolean => {
    bytes += answer.length;
    return true;
  };
  const sink = { send: told, sendAndEnd: told, end() {}, fail() {}, pause() {}, resume() {} };

  return (count) => {
    for (let index = 0; index < count; index += 1) {
      const stream = open(metadata, sink);
      stream.message(message);
      stream.closed();
    }
    if (bytes === 0) throw new Error("nothing was answered");
  };
}
