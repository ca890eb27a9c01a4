import { atKey } from "../config/read.ts";
import { problem } from "../errors.ts";
import type { CheckContext } from "./check-context.ts";
import { switchedOn } from "./field.ts";

/** With it, clients that abort HTTP/2 requests end Envoy 1.36.2 with a segmentation fault (measured); it is off by default. */
const gracefulClose = "envoy.reloadable_features.ext_proc_graceful_grpc_close";

/** Whether a static layer of runtime flags makes Envoy unsafe; also one that a later layer may take back. */
export function checkRuntime({ parts: { runtimes }, report }: CheckContext): void {
  for (const layer of runtimes) {
    for (const place of switchedOn(layer, gracefulClose)) report(problem("envoy-graceful-close", atKey(place), { flag: gracefulClose }));
  }
}
