/** Envoy takes what the engine tells it with every kind of answer. What it took last stands in its access log, as JSON. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Data } from "../../../scripts/processes/data.ts";
import type { Stimulus, UpstreamScript } from "./case.ts";
import { sendRequest } from "./client.ts";
import { startConformanceStage } from "./conformance-stage.ts";

const accessLog: Data = [
  {
    name: "stdout",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
      log_format: { json_format: { path: "%REQ(:PATH)%", status: "%RESPONSE_CODE%", told: "%DYNAMIC_METADATA(policy.engine)%" } },
    },
  },
];

interface Exchange {
  readonly client: Stimulus;
  readonly upstream?: UpstreamScript;
  readonly answers: readonly string[];
  readonly status: number;
  readonly note: string;
}

const hello = { headers: { "content-length": "5" }, body: "hello" };
const trailersOnly = { answer: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-sum: 1\r\n\r\n" };

const exchanges: Readonly<Record<string, Exchange>> = {
  "the request's headers": { client: { request: "GET /tells-request" }, answers: ["request-headers"], status: 200, note: "request" },
  "the response's headers": {
    client: { request: "GET /tells" },
    answers: ["request-headers", "response-headers"],
    status: 200,
    note: "response",
  },
  "the request's body": {
    client: { request: "POST /tells-request-body", ...hello },
    answers: ["request-headers", "request-body"],
    status: 200,
    note: "request",
  },
  "the response's body": {
    client: { request: "POST /tells-bodies/body", ...hello },
    answers: ["request-headers", "request-body", "response-headers", "response-body"],
    status: 200,
    note: "response",
  },
  "the response's trailers": {
    client: { request: "POST /tells-bodies/trailers", ...hello },
    upstream: trailersOnly,
    answers: ["request-headers", "request-body", "response-headers", "response-trailers"],
    status: 200,
    note: "response",
  },
  "a reply to the request": { client: { request: "GET /tells-reply" }, answers: ["no"], status: 403, note: "reply" },
  "a reply to the response": {
    client: { request: "GET /tells-late-reply" },
    answers: ["request-headers", "response-headers", "no"],
    status: 451,
    note: "reply",
  },
};

const answered = new Map<string, readonly string[]>();
let lines: readonly Readonly<Record<string, unknown>>[];

beforeAll(async () => {
  const stage = await startConformanceStage({ metadata: ["note"], manager: { access_log: accessLog } });
  try {
    for (const [name, { client, upstream = {} }] of Object.entries(exchanges)) {
      stage.upstream.begin(upstream);
      await sendRequest(stage.envoy.port, client, "http1");
      const seen = await stage.engine.exchanges();
      answered.set(
        name,
        seen.flatMap(({ answers }) => answers.map((one) => ("answer" in one ? one.answer : "reply" in one ? one.code : "nothing"))),
      );
    }
    // It writes its log when it ends.
    await stage.envoy.stop();
    lines = stage.envoy.process
      .lastLines()
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
  } finally {
    await stage.close();
  }
});

describe("with the answer to", () => {
  test.for(Object.entries(exchanges))("%s", ([name, { client, answers, status, note }]) => {
    expect(answered.get(name)).toEqual(answers);
    const path = client.request.split(" ")[1];
    expect(lines.find((line) => line.path === path)).toEqual({ path, status, told: { decision_id: expect.any(String), note } });
  });
});
