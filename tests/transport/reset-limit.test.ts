import { Server } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { liftResetLimit, ResetLimitError } from "../../src/transport/reset-limit.ts";

// That the limit is lifted where this does not throw is in grpc-js.test.ts: thousands of resets on one connection.

test.for(["20.20.2", "22.9.0", "unknown"])("a Node that limits how many streams may be reset is refused: %s", (version) => {
  expect(() => liftResetLimit(new Server(), version)).toThrow(ResetLimitError);
  expect(() => liftResetLimit(new Server(), version)).toThrow("Node 22.22 or newer");
});

test.for(["22.10.0", "22.22.0", "24.21.0"])("one that does not is taken: %s", (version) => {
  liftResetLimit(new Server(), version);
});

test("a grpc-js whose options are elsewhere is refused, with what to do", () => {
  expect(() => liftResetLimit({}, "24.21.0")).toThrow("npm ci");
});
