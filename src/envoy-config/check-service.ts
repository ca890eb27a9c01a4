/** How Envoy calls the engine. */

import { messageBytesMax } from "../config/message-bytes.ts";
import type { Place } from "../config/node.ts";
import { at, atKey, type Report } from "../config/read.ts";
import { problem } from "../errors.ts";
import type { CheckContext } from "./check-context.ts";
import { checkInitialMetadata } from "./check-identity.ts";
import { durationMs, field, isMessage, items, number } from "./field.ts";

/** The `grpc_service` of the filter, or of a route, which replaces the filter's. */
export function checkService(service: Place, context: CheckContext): void {
  const { demands, report } = context;
  checkInitialMetadata(service, context);
  const google = field(service, "google_grpc");
  if (google !== undefined) {
    report(problem("envoy-google-grpc", atKey(google), {}));
    return;
  }
  const max = field(service, "envoy_grpc", "max_receive_message_length");
  const needed = messageBytesMax(demands.settings.envoy.bodyBytesMax);
  const found = number(max);
  if (max !== undefined && found !== undefined && found < needed) report(problem("envoy-message-length", at(max), { found, needed }));
  checkRetry(service, report);
}

/** The longest wait before a retry that a client does not take for a failure, milliseconds. */
const backOffMaxMs = 250;

function checkRetry(service: Place, report: Report): void {
  const policy = field(service, "retry_policy") ?? field(service, "envoy_grpc", "retry_policy");
  if (policy === undefined) {
    report(problem("envoy-retry", atKey(service), { detail: "there is no `retry_policy`: while an engine restarts, requests are a 500" }));
    return;
  }
  const backOff = field(policy, "retry_back_off");
  const base = durationMs(field(backOff, "base_interval"));
  if (base === undefined || base > backOffMaxMs) {
    const detail =
      base === undefined
        ? "without a `retry_back_off` the first retry waits up to a second, and requests run into their timeouts"
        : `\`base_interval\` is longer than ${backOffMaxMs} ms: requests run into their timeouts`;
    report(problem("envoy-retry", atKey(backOff ?? policy), { detail }));
  }
  const predicates = items(field(policy, "retry_host_predicate")).map((one) => field(one, "typed_config"));
  if (!predicates.some((one) => isMessage(one, "PreviousHostsPredicate"))) {
    report(
      problem("envoy-retry", atKey(policy), {
        detail: "without the predicate `previous_hosts` a retry may ask the engine that has just failed",
      }),
    );
  }
}
