import type { Call } from "./five-policies.ts";
import { http2Client } from "./http2-client.ts";
import type { LifetimeStage } from "./lifetime-stage.ts";
import { share } from "./share.ts";
import { judge, type Tally } from "./tally.ts";

/** Calls on their way to the upstream, or back from it: what is on its way has a deadline, what the upstream holds has none. */
const underWayMax = 200;
/** Fewer than Envoy takes on one connection. */
const streamsPerConnection = 500;

/**
 * Opens every call before the first is answered. All are to reach the upstream, which holds them.
 *
 * @param whenOpen called when all are open; what it returns is awaited before the first is answered
 */
export async function manyAtOnce(
  { envoy, upstream }: LifetimeStage,
  calls: readonly Call[],
  tally: Tally,
  whenOpen: () => Promise<void>,
): Promise<void> {
  const client = http2Client(envoy.port, Math.ceil(calls.length / streamsPerConnection));
  const workers = Array.from({ length: underWayMax }, (_, worker) => worker);
  const answers = new Map<number, Promise<void>>();
  await share(calls, workers, async (call) => {
    const arrival = upstream.arrival(call.number);
    const answer = judge(tally, call, client.send({ path: call.path, headers: { ...call.headers, "x-hold": "1" } }));
    answers.set(call.number, answer);
    // An answer at this time is a wrong one: the upstream has not seen the call.
    await Promise.race([arrival, answer]);
  });
  await whenOpen();
  await share(answers, workers, async ([number, answer]) => {
    upstream.letGo(number);
    await answer;
  });
  client.close();
}
