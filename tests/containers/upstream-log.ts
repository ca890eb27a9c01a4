import { createInterface } from "node:readline";
import type { StartedTestContainer } from "testcontainers";
import type { SeenRequests } from "../../scripts/demo/run-request.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { send } from "../../scripts/processes/send.ts";
import type { SeenRequest } from "../../scripts/processes/start-upstream.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";

/**
 * What reaches an upstream that runs `scripts/upstream.ts` in a container, by the lines it prints. A line may come late, so each question sends
 * one more request through Envoy and waits for its line: whatever arrived before has been read then.
 */
export async function seenByUpstream(upstream: StartedTestContainer, envoyPort: number): Promise<SeenRequests> {
  const seen: SeenRequest[] = [];
  createInterface({ input: await upstream.logs() }).on("line", (line) => seen.push(JSON.parse(line)));
  const withId = (id: string): SeenRequest | undefined => seen.find(({ headers }) => valuesOf(headers, "x-request-id").includes(id));
  let questions = 0;
  return {
    async find(requestId) {
      const id = `question-${++questions}`;
      await send(envoyPort, { path: "/health", headers: { "x-request-id": id } });
      await waitFor({ what: "the upstream's next line", timeoutMs: 10_000 }, () => withId(id));
      return withId(requestId);
    },
  };
}
