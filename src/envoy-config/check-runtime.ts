import { type Node, type Place, rootPlace } from "../config/node.ts";
import { atKey } from "../config/read.ts";
import { type Problem, problem } from "../errors.ts";
import type { CheckContext } from "./check-context.ts";
import { entries, field, isSwitchedOn, switchedOn } from "./field.ts";

/** With it, clients that abort HTTP/2 requests end Envoy 1.36.2 with a segmentation fault (measured); it is off by default. */
const gracefulClose = "envoy.reloadable_features.ext_proc_graceful_grpc_close";

/** Whether a static layer of runtime flags makes Envoy unsafe; also one that a later layer may take back. */
export function checkRuntime({ parts: { runtimes }, report }: CheckContext): void {
  for (const layer of runtimes) {
    for (const place of switchedOn(layer, gracefulClose)) report(flagProblem(place));
  }
}

/** The same of what Envoy's admin port says under `/runtime`: all layers together, those of a control plane or of a person among them. */
export function checkRuntimeValues(page: Node): readonly Problem[] {
  return entries(field(rootPlace(page), "entries"))
    .filter(([flag, entry]) => flag === gracefulClose && isSwitchedOn(field(entry, "final_value")))
    .map(([, place]) => flagProblem(place));
}

const flagProblem = (place: Place): Problem => problem("envoy-graceful-close", atKey(place), { flag: gracefulClose });
