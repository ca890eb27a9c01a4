/** The one message that is written by hand, against the generated reader. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProcessingResponse } from "../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import { encodeStreamedBody } from "../../src/kernel/wire/encode.ts";

/** Around the lengths at which a varint grows. */
const length = fc.oneof(
  fc.nat(300),
  fc.constantFrom(0, 1, 100, 127, 128, 16_370, 16_383, 16_384, 65_535, 65_536),
  fc.integer({ min: 2_097_100, max: 2_097_200 }),
);

test("a part of a body is what the protocol says it is", () => {
  fc.assert(
    fc.property(length, fc.constantFrom("request-body", "response-body"), fc.constantFrom("last", "more-follows"), (bytes, phase, end) => {
      const body = Buffer.alloc(bytes, "ab");
      const { response, modeOverride, dynamicMetadata } = ProcessingResponse.decode(encodeStreamedBody(phase, body, end));
      expect({ modeOverride, dynamicMetadata }).toEqual({ modeOverride: undefined, dynamicMetadata: undefined });
      if (response?.$case !== "requestBody" && response?.$case !== "responseBody") throw new Error("it is no answer to a body");
      expect(response.$case).toBe(phase === "request-body" ? "requestBody" : "responseBody");
      const { bodyMutation, ...others } = response.value.response ?? {};
      expect(Object.values(others).filter((value) => value !== undefined)).toEqual([]);
      if (bodyMutation?.mutation?.$case !== "streamedResponse") throw new Error("it has no part of a body");
      const { body: sent = new Uint8Array(), endOfStream = false } = bodyMutation.mutation.value;
      expect(Buffer.compare(sent, body)).toBe(0);
      expect(endOfStream).toBe(end === "last");
    }),
    { seed: 6, numRuns: 200 },
  );
});
