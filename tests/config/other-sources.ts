import type { ErrorCode } from "../../src/errors.ts";

/** Codes that no configuration, settings or manifest text alone can cause; their golden output is made where the code runs. */
export const otherSources: readonly ErrorCode[] = [
  "policy-create-failed",
  "policy-create-timeout",
  "handler-shape",
  "when-reads-response",
  "response-headers-not-sent",
];
