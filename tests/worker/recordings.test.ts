import { expect, test } from "vitest";
import { HeaderLines } from "../../src/worker/received-headers.ts";
import { createRecordings } from "../../src/worker/recording.ts";

function request(id: string, requestId: string) {
  const headers = new HeaderLines([{ name: "x-request-id", value: Buffer.from(requestId) }]);
  return {
    id,
    time: 0,
    headers,
    hasBody: false,
    upgrade: false,
    route: { name: "route", metadata: {} },
    source: { address: undefined, port: undefined },
  };
}

test("the oldest go first, also when clients choose the same request id or one that means something to JavaScript", () => {
  const recordings = createRecordings(2);
  recordings.add(request("1", "__proto__"), "chain", 1, []);
  recordings.add(request("2", "same"), "chain", 1, []);
  recordings.add(request("3", "same"), "chain", 1, []);
  expect(recordings.find("1")).toBeUndefined();
  expect(recordings.find("__proto__")).toBeUndefined();
  expect(recordings.find("constructor")).toBeUndefined();
  expect(recordings.find("same")).toMatchObject({ id: "3" });
  expect(recordings.find("2")).toMatchObject({ id: "2" });
  recordings.add(request("4", "__proto__"), "chain", 1, []);
  recordings.add(request("5", "other"), "chain", 1, []);
  expect(recordings.find("same")).toBeUndefined();
  expect(recordings.find("__proto__")).toMatchObject({ id: "4" });
});

test("a client's request id is not kept without bound", () => {
  const recordings = createRecordings(2);
  recordings.add(request("1", "a".repeat(129)), "chain", 1, []);
  recordings.add(request("2", "a".repeat(128)), "chain", 1, []);
  expect(recordings.find("1")).toMatchObject({ id: "1", requestId: undefined });
  expect(recordings.find("a".repeat(129))).toBeUndefined();
  expect(recordings.find("a".repeat(128))).toMatchObject({ id: "2" });
});
