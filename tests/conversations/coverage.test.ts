import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { failureCatalogue } from "../../src/errors.ts";
import { conversationFiles } from "./conversation.ts";
import { failureContract } from "./failure-contract.ts";

const conversations = conversationFiles().flatMap((file) => file.conversations);
const covered = new Set(conversations.flatMap(({ covers = [] }) => covers));
const replied = new Set(
  conversations.flatMap(({ exchange }) =>
    exchange.flatMap(({ engine = [] }) => engine.flatMap((one) => ("reply" in one ? [one.code] : []))),
  ),
);

describe("every kernel state is reached by a conversation", () => {
  test.for(["opened", "running", "awaiting-request-body", "awaiting-response", "awaiting-response-body", "passing", "ended"])(
    "%s",
    (state) => {
      expect(covered).toContain(`state:${state}`);
    },
  );
});

describe("every failure code is answered in a conversation", () => {
  test.for(Object.keys(failureCatalogue))("%s", (code) => {
    expect(replied).toContain(code);
  });
});

describe("every row of the failure contract is held or names the feature that brings it", () => {
  test.for(failureContract)("$row", (row) => {
    if ("covers" in row) for (const one of row.covers) expect(covered).toContain(one);
    else if ("heldBy" in row) expect(existsSync(join(import.meta.dirname, "../..", row.heldBy))).toBe(true);
    else expect(row.later).not.toBe("");
  });
});

test("what a conversation says it covers is a state or a part of the contract", () => {
  const known = new Set(failureContract.flatMap((row) => ("covers" in row ? row.covers : [])));
  const unknown = [...covered].filter((one) => !one.startsWith("state:") && !known.has(one));
  expect(unknown).toEqual([]);
});
