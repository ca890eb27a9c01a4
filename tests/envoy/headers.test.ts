/** What happens to header bytes and lines on their way through a real Envoy: nothing of it can be seen without one. */
import { beforeAll, describe, expect, test } from "vitest";
import { valuesOf } from "../../scripts/processes/header-lines.ts";
import { type ClientRequest, type ClientResponse, send } from "../../scripts/processes/send.ts";
import type { Stage } from "../../scripts/processes/start-stage.ts";
import type { SeenRequest, WantedAnswer } from "../../scripts/processes/start-upstream.ts";
import { startTestStage } from "../support/test-stage.ts";

/** The bytes C3 28 FF, which are no UTF-8. */
const oddBytes = "\u00c3(\u00ff";

const policies = `
version: 1
chains:
  headers:
    steps:
      - policy: set-header@2
        parameters:
          request:
            - set: { name: x-new, value: "grüße" }
            - set: { name: x-replaced, value: ours }
            - append: { name: x-list, value: three }
            - remove: { name: x-gone }
            - removeMatching: { pattern: ^x-internal- }
            - rename: { from: x-odd, to: x-moved }
          response:
            - append: { name: set-cookie, value: "a=1; Path=/" }
            - append: { name: set-cookie, value: "b=2; Path=/" }
            - remove: { name: x-powered-by }
            - set: { name: x-replaced, value: ours }
            - rename: { from: x-odd, to: x-moved }
      - policy: set-header@1
        name: empty
        parameters: { request: [{ name: x-empty, set: "" }] }
routes: { orders: headers, health: [] }
`;

let stage: Stage;

beforeAll(async () => {
  stage = await startTestStage({ policies });
  return () => stage.close();
});

describe("request headers", () => {
  test("bytes that are no UTF-8 arrive unchanged, in a header that no policy touches and in one that is renamed", async () => {
    const { seen } = await exchange({ headers: { "x-untouched": oddBytes, "x-odd": oddBytes } });
    expect(valuesOf(seen.headers, "x-untouched")).toEqual([oddBytes]);
    expect(valuesOf(seen.headers, "x-moved")).toEqual([oddBytes]);
    expect(valuesOf(seen.headers, "x-odd")).toEqual([]);
  });

  test("text is written as UTF-8", async () => {
    const { seen } = await exchange({});
    expect(Buffer.from(valuesOf(seen.headers, "x-new")[0] ?? "", "latin1").toString("utf8")).toBe("grüße");
  });

  test("an appended value comes after the lines that are there, each a line of its own", async () => {
    const { seen } = await exchange({ headers: { "x-list": ["one", "two"] } });
    expect(valuesOf(seen.headers, "x-list")).toEqual(["one", "two", "three"]);
  });

  test("a value is appended to nothing", async () => {
    const { seen } = await exchange({});
    expect(valuesOf(seen.headers, "x-list")).toEqual(["three"]);
  });

  test("several lines become the one that is set", async () => {
    const { seen } = await exchange({ headers: { "x-replaced": ["theirs", "theirs too"] } });
    expect(valuesOf(seen.headers, "x-replaced")).toEqual(["ours"]);
  });

  test("every line of a removed header is gone", async () => {
    const { seen } = await exchange({ headers: { "x-gone": ["1", "2"], "X-Internal-User": "root", "x-internal-role": "admin" } });
    for (const name of ["x-gone", "x-internal-user", "x-internal-role"]) expect(valuesOf(seen.headers, name)).toEqual([]);
  });

  test("an empty header can be set", async () => {
    const { seen } = await exchange({ headers: { "x-empty": "theirs" } });
    expect(valuesOf(seen.headers, "x-empty")).toEqual([""]);
  });

  test("several lines that no policy touches stay several", async () => {
    const { seen } = await exchange({ headers: { "x-untouched": ["one", "two"] } });
    expect(valuesOf(seen.headers, "x-untouched")).toEqual(["one", "two"]);
  });
});

describe("response headers", () => {
  test("set-cookie lines of the upstream and of the policy stay lines of their own", async () => {
    const { response } = await exchange(
      {},
      {
        headers: [
          ["set-cookie", "c=3"],
          ["set-cookie", "d=4"],
        ],
      },
    );
    expect(valuesOf(response.headers, "set-cookie")).toEqual(["c=3", "d=4", "a=1; Path=/", "b=2; Path=/"]);
  });

  test("bytes that are no UTF-8 arrive unchanged", async () => {
    const { response } = await exchange(
      {},
      {
        headers: [
          ["x-untouched", oddBytes],
          ["x-odd", oddBytes],
        ],
      },
    );
    expect(valuesOf(response.headers, "x-untouched")).toEqual([oddBytes]);
    expect(valuesOf(response.headers, "x-moved")).toEqual([oddBytes]);
  });

  test("a header is removed, another one replaced", async () => {
    const { response } = await exchange(
      {},
      {
        headers: [
          ["x-replaced", "theirs"],
          ["x-replaced", "theirs too"],
        ],
      },
    );
    expect(valuesOf(response.headers, "x-powered-by")).toEqual([]);
    expect(valuesOf(response.headers, "x-replaced")).toEqual(["ours"]);
  });

  test.each([200, 204, 304, 404, 500])("response handlers run on the upstream's %i", async (status) => {
    const { response } = await exchange({}, { status, body: "" });
    expect(response.status).toBe(status);
    expect(valuesOf(response.headers, "x-replaced")).toEqual(["ours"]);
  });

  test("HEAD keeps the upstream's content-length and has no body", async () => {
    const { response } = await exchange({ method: "HEAD" }, { headers: [["content-length", "1234"]], body: "" });
    expect([response.status, response.body]).toEqual([200, ""]);
    expect(valuesOf(response.headers, "content-length")).toEqual(["1234"]);
    expect(valuesOf(response.headers, "x-replaced")).toEqual(["ours"]);
  });
});

test("bodies pass in both directions while headers are changed", async () => {
  const body = "b".repeat(300_000);
  const { seen, response } = await exchange({ method: "POST", body }, {});
  expect(seen.body).toBe(body);
  expect(response.body).toBe(`${JSON.stringify(seen)}\n`);
});

test("on the empty chain nothing is changed", async () => {
  const headers = { "x-odd": oddBytes, "x-list": ["one", "two"], "x-gone": "1", "x-internal-user": "root" };
  const { seen, response } = await exchange({ path: "/health", headers });
  for (const [name, value] of Object.entries(headers)) expect(valuesOf(seen.headers, name)).toEqual([value].flat());
  expect(valuesOf(seen.headers, "x-new")).toEqual([]);
  expect(valuesOf(response.headers, "x-powered-by")).toEqual(["the upstream"]);
});

let count = 0;

async function exchange(
  request: Partial<ClientRequest>,
  answer: WantedAnswer = {},
): Promise<{ readonly seen: SeenRequest; readonly response: ClientResponse }> {
  const id = `headers-${++count}`;
  const path = request.path ?? "/orders/1";
  const headers = { ...request.headers, "x-request-id": id, "x-answer": JSON.stringify(answer) };
  const response = await send(stage.envoy.port, { ...request, path, headers });
  const seen = stage.upstream.find(id);
  if (seen === undefined) throw new Error(`the request did not reach the upstream: ${response.status} ${response.body}`);
  return { seen, response };
}
