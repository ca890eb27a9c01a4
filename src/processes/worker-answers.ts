/** What workers answer to the questions behind pages. */
import type { ExplainResult } from "../admin/explain.ts";
import type { ProbeState } from "../observe/probes.ts";
import { type Guard, list, literal, number, oneOf, optional, shape, text } from "./shape.ts";

export interface WorkerDetail {
  /** Numbers of the generations that are in use or still have exchanges. */
  readonly open: readonly number[];
  readonly probes: readonly ProbeState[];
}

const flag: Guard<boolean> = (value) => typeof value === "boolean";

export const isWorkerDetail: Guard<WorkerDetail> = shape<WorkerDetail>({
  open: list(number),
  probes: list(
    shape<ProbeState>({ chain: text, step: text, policy: text, name: text, ready: flag, detail: text, ageSeconds: optional(number) }),
  ),
});

/** The page itself is shown as it is. */
export const isRouteAnswer: Guard<{ readonly known: boolean }> = shape<{ readonly known: boolean }>({ known: flag });

const anyObject: Guard<object> = (value) => typeof value === "object" && value !== null;

export const isExplained: Guard<ExplainResult> = oneOf<ExplainResult>(
  shape<Extract<ExplainResult, { kind: "explained" }>>({ kind: literal("explained"), body: anyObject }),
  shape<Extract<ExplainResult, { kind: "refused" }>>({ kind: literal("refused"), body: anyObject }),
  shape<Extract<ExplainResult, { kind: "not-ready" }>>({ kind: literal("not-ready"), body: anyObject }),
  shape<Extract<ExplainResult, { kind: "busy" }>>({ kind: literal("busy"), body: anyObject }),
);
