import { describe, expect, test } from "vitest";
import { HeaderLines } from "../../src/worker/received-headers.ts";
import { createRecentDecisions, type RecentDecisions } from "../../src/worker/recent-decisions.ts";
import { engineReply, type FinalReply } from "../../src/worker/reply.ts";

function request(id: string, requestId = id) {
  const headers = new HeaderLines([{ name: "x-request-id", value: Buffer.from(requestId) }]);
  return {
    id,
    time: 0,
    headers,
    hasBody: false,
    upgrade: false,
    route: { name: "users", metadata: {} },
    source: { address: undefined, port: undefined },
  };
}

const denied: FinalReply = { ...engineReply("policy-failed", "1", false), failedStep: "auth" };

function reply(decisions: RecentDecisions, id: string, requestId = id): void {
  decisions.replied({ request: request(id, requestId), chain: "api", generation: 7, reply: denied, durationMs: 3 });
}

const failure = {
  request: request("1"),
  generation: 7,
  chain: "api",
  step: "auth",
  policy: "jwt-validation@2.0.0",
  phase: "request",
  code: "policy-failed",
  handled: "skip",
  cause: new Error("hush"),
  durationMs: 2,
} as const;

describe("what is kept", () => {
  test("a failure that is passed over leaves a summary of an exchange that went on", () => {
    const decisions = createRecentDecisions({ summariesMax: 2, timelinesMax: 2 }, (text) => text);
    decisions.failed(failure);
    expect(decisions.find("1")).toEqual({
      detail: "summary",
      id: "1",
      requestId: "1",
      time: "1970-01-01T00:00:00.000Z",
      generation: 7,
      route: "users",
      chain: "api",
      outcome: "continued",
      status: undefined,
      code: "policy-failed",
      step: "auth",
      reason: undefined,
      failures: [{ step: "auth", policy: "jwt-validation@2.0.0", phase: "request", code: "policy-failed", handled: "skip" }],
      durationMs: 2,
    });
  });

  test("the reply to a failure names the step that failed, and the failure stays", () => {
    const decisions = createRecentDecisions({ summariesMax: 2, timelinesMax: 2 }, (text) => text);
    decisions.failed({ ...failure, handled: "deny" });
    reply(decisions, "1");
    expect(decisions.find("1")).toMatchObject({
      outcome: "refused",
      status: 500,
      code: "policy-failed",
      step: "auth",
      failures: [{ handled: "deny" }],
      durationMs: 3,
    });
  });

  test("a policy's reason is redacted", () => {
    const decisions = createRecentDecisions({ summariesMax: 2, timelinesMax: 2 }, (text) => text.replaceAll("hush", "[redacted]"));
    const reply = { ...denied, step: "auth", reason: "the key hush is not known" };
    expect(decisions.replied({ request: request("1"), chain: "api", generation: 7, reply, durationMs: 3 })).toMatchObject({
      outcome: "replied",
      reason: "the key [redacted] is not known",
    });
  });
});

describe("how much is kept", () => {
  test("the oldest go first, also when clients choose the same request id or one that means something to JavaScript", () => {
    const decisions = createRecentDecisions({ summariesMax: 2, timelinesMax: 2 }, (text) => text);
    reply(decisions, "1", "__proto__");
    reply(decisions, "2", "same");
    reply(decisions, "3", "same");
    expect(["1", "__proto__", "constructor"].map((id) => decisions.find(id))).toEqual([undefined, undefined, undefined]);
    expect(["same", "2"].map((id) => decisions.find(id)?.id)).toEqual(["3", "2"]);
    reply(decisions, "4", "__proto__");
    reply(decisions, "5", "other");
    expect(["same", "__proto__"].map((id) => decisions.find(id)?.id)).toEqual([undefined, "4"]);
  });

  test("a client's request id is not kept without bound", () => {
    const decisions = createRecentDecisions({ summariesMax: 2, timelinesMax: 2 }, (text) => text);
    reply(decisions, "1", "a".repeat(129));
    reply(decisions, "2", "a".repeat(128));
    expect(decisions.find("1")).toMatchObject({ id: "1", requestId: undefined });
    expect(decisions.find("a".repeat(129))).toBeUndefined();
    expect(decisions.find("a".repeat(128))).toMatchObject({ id: "2" });
  });
});
