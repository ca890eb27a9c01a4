/** What a client gets when the engine answers in place of the upstream. */
import { connect } from "node:http2";
import { beforeAll, describe, expect, test } from "vitest";
import { type Data, replaceAt } from "../../scripts/processes/data.ts";
import { envoyPlaces } from "../../scripts/processes/envoy-bootstrap.ts";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import { waitFor } from "../../scripts/processes/wait-for.ts";
import { startTestStage } from "../support/test-stage.ts";

const policies = `
version: 1
chains:
  guarded:
    steps:
      - policy: set-header@1
        name: outer
        parameters:
          response: [{ name: x-frame-options, set: DENY }, { name: set-cookie, append: a=1 }, { name: set-cookie, append: b=2 }]
      - policy: api-key-validation@1
        parameters: { keys: [] }
      - policy: set-header@1
        name: inner
        parameters: { response: [{ name: x-inner, set: never }] }
  teapot:
    steps:
      - policy: authorize@1
        parameters: { rules: [{ deny: { when: "true", code: short, status: 418 } }] }
  stamped:
    steps:
      - policy: set-header@1
        parameters: { request: [{ name: x-stamp, set: seen }], response: [{ name: x-stamp, set: seen }] }
  failing:
    steps:
      - policy: set-header@1
        name: outer
        parameters: { response: [{ name: x-frame-options, set: DENY }] }
      - policy: set-header@1
        name: faulty
        parameters: { request: [{ name: x-number, setFrom: 'string(int(request.headers[?"x-number"].orValue("none")))' }] }
routes: { guarded: guarded, teapot: teapot, direct: stamped, failing: failing, dead: stamped }
`;

const routes: Data = [
  { name: "guarded", match: { path_separated_prefix: "/guarded" }, route: { cluster: "upstream" } },
  { name: "teapot", match: { path_separated_prefix: "/teapot" }, route: { cluster: "upstream" } },
  { name: "failing", match: { path_separated_prefix: "/failing" }, route: { cluster: "upstream" } },
  { name: "direct", match: { path_separated_prefix: "/direct" }, direct_response: { status: 299, body: { inline_string: "Envoy's own" } } },
  { name: "dead", match: { path_separated_prefix: "/dead" }, route: { cluster: "no_such_cluster" } },
];

let stage: Stage;

beforeAll(async () => {
  stage = await startTestStage({
    policies,
    bootstrap: (bootstrap) =>
      // The listener answers for a missing cluster; Envoy refuses a route to one unless it is told not to look.
      replaceAt(replaceAt(bootstrap, envoyPlaces.routes, routes), [...envoyPlaces.routes.slice(0, -3), "validate_clusters"], false),
  });
  return () => stage.close();
});

describe("a policy's reply", () => {
  test("has the policy's status, headers and body, and a decision id", async () => {
    const { status, headers, body } = await send(stage.envoy.port, { path: "/guarded" });
    expect([status, JSON.parse(body)]).toEqual([401, { title: "Unauthorized", status: 401, detail: "a valid API key is required" }]);
    expect(valuesOf(headers, "content-type")).toEqual(["application/problem+json"]);
    expect(valuesOf(headers, "www-authenticate")).toEqual(['ApiKey realm="api"']);
    expect(valuesOf(headers, "content-length")).toEqual([String(Buffer.byteLength(body))]);
    expect(valuesOf(headers, "x-decision-id")).toEqual([expect.stringMatching(/^\S{8,}$/)]);
  });

  test("passes the response handlers of the steps before it, and only those", async () => {
    const { headers } = await send(stage.envoy.port, { path: "/guarded" });
    expect(valuesOf(headers, "x-frame-options")).toEqual(["DENY"]);
    expect(valuesOf(headers, "set-cookie")).toEqual(["a=1", "b=2"]);
    expect(valuesOf(headers, "x-inner")).toEqual([]);
  });

  test("the log has the code under the decision id", async () => {
    const { headers } = await send(stage.envoy.port, { path: "/guarded" });
    const [id] = valuesOf(headers, "x-decision-id");
    const line = await waitFor({ what: "the log line", timeoutMs: 5_000 }, () => stage.engine.log.find((one) => one.id === id));
    expect(line).toMatchObject({ code: "api-key-missing", status: 401, route: "guarded", chain: "guarded", step: "api-key-validation" });
  });

  test("on HEAD there is no body, and all the headers", async () => {
    const { status, headers, body } = await send(stage.envoy.port, { path: "/guarded", method: "HEAD" });
    expect([status, body]).toEqual([401, ""]);
    expect(valuesOf(headers, "www-authenticate")).toEqual(['ApiKey realm="api"']);
  });

  test("a request body does not matter", async () => {
    const { status } = await send(stage.envoy.port, { path: "/guarded", method: "POST", body: "b".repeat(300_000) });
    expect(status).toBe(401);
  });

  test("any status from 400 to 599 can be given", async () => {
    expect((await send(stage.envoy.port, { path: "/teapot" })).status).toBe(418);
  });

  test("nothing of it reaches the upstream", () => {
    expect(stage.upstream.requests).toEqual([]);
  });
});

describe("the engine's own reply", () => {
  test("is a problem document that tells no cause, with the response handlers of the steps before the failed one", async () => {
    const { status, headers, body } = await send(stage.envoy.port, { path: "/failing", headers: { "x-number": "abc" } });
    const [id] = valuesOf(headers, "x-decision-id");
    expect([status, JSON.parse(body)]).toEqual([
      500,
      { type: "about:blank", title: "Internal Server Error", status: 500, code: "policy-failed", decisionId: id },
    ]);
    expect(valuesOf(headers, "content-type")).toEqual(["application/problem+json"]);
    expect(valuesOf(headers, "x-frame-options")).toEqual(["DENY"]);
  });

  test("its twin passes", async () => {
    expect((await send(stage.envoy.port, { path: "/failing", headers: { "x-number": "17" } })).status).toBe(200);
  });
});

describe("a gRPC client", () => {
  test.each([
    ["/guarded/Method", "16"],
    ["/teapot/Method", "2"],
    ["/nowhere/Method", "12"],
    // Envoy itself would make UNKNOWN (2) of a 500.
    ["/failing/Method", "13"],
  ])("gets %s as trailers only, status %s", async (path, grpcStatus) => {
    const answer = await grpcCall(path);
    expect(answer).toEqual({
      endedWithHeaders: true,
      status: 200,
      grpcStatus,
      grpcMessage: expect.any(String),
      decisionId: expect.any(String),
      body: "",
    });
  });
});

describe("what Envoy answers itself", () => {
  test.each([
    ["/direct", 299],
    ["/dead", 503],
  ])("%s has nothing of the chain on it", async (path, status) => {
    const answer = await send(stage.envoy.port, { path });
    expect(answer.status).toBe(status);
    expect(valuesOf(answer.headers, "x-stamp")).toEqual([]);
    expect(valuesOf(answer.headers, "x-decision-id")).toEqual([]);
  });
});

interface GrpcAnswer {
  /** The headers frame ended the stream: that is what trailers-only means. */
  readonly endedWithHeaders: boolean;
  readonly status: number | undefined;
  readonly grpcStatus: unknown;
  readonly grpcMessage: unknown;
  readonly decisionId: unknown;
  readonly body: string;
}

const endStreamFlag = 1;

function grpcCall(path: string): Promise<GrpcAnswer> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${stage.envoy.port}`);
    session.once("error", reject);
    const call = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" });
    call.setTimeout(10_000, () => call.destroy(new Error("no answer in 10 s")));
    call.once("error", reject);
    let answer: Omit<GrpcAnswer, "body"> | undefined;
    call.once("response", (headers, flags) => {
      answer = {
        endedWithHeaders: (flags & endStreamFlag) !== 0,
        status: headers[":status"],
        grpcStatus: headers["grpc-status"],
        grpcMessage: headers["grpc-message"],
        decisionId: headers["x-decision-id"],
      };
    });
    let body = "";
    call.on("data", (chunk: Buffer) => {
      body += chunk.toString("utf8");
    });
    call.once("end", () => {
      session.close();
      if (answer === undefined) reject(new Error("the stream ended without headers"));
      else resolve({ ...answer, body });
    });
    // A length-prefixed empty message, as a gRPC client sends it.
    call.end(Buffer.from([0, 0, 0, 0, 0]));
  });
}
