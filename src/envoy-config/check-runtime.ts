import { rootPlace } from "../config/node.ts";
import { atKey } from "../config/read.ts";
import { problem } from "../errors.ts";
import type { CheckContext } from "./check-context.ts";
import { field, isTrue } from "./field.ts";

const flag = "envoy.reloadable_features.ext_proc_graceful_grpc_close";

/** Whether streams to the engine are closed or reset. Only a bootstrap says so. */
export function checkRuntime({ parts: { bootstrap, runtimes }, report }: CheckContext): void {
  if (bootstrap === undefined) return;
  if (runtimes.some((layer) => isTrue(field(layer, flag)) || isTrue(field(layer, ...flag.split("."))))) return;
  report(problem("envoy-graceful-close", atKey(field(bootstrap, "layered_runtime") ?? rootPlace(bootstrap.node)), { flag }));
}
