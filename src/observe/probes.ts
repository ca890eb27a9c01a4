import type { MetricFamily } from "./metrics.ts";
import type { StepLabels } from "./step-counters.ts";

/** The state of something that a step depends on, as the step itself reports it. */
export interface ProbeState {
  readonly chain: string;
  readonly step: string;
  readonly policy: string;
  readonly name: string;
  readonly ready: boolean;
  readonly detail: string;
}

/** Shown in readiness and metrics; a probe never makes the whole engine not ready. */
export interface ProbeRegistry {
  add(step: StepLabels, name: string, probe: () => { readonly ready: boolean; readonly detail: string }): () => void;
  states(): readonly ProbeState[];
  families(): readonly MetricFamily[];
}

const detailLengthMax = 256;

export function createProbes(): ProbeRegistry {
  const probes = new Set<() => ProbeState>();
  const states = (): readonly ProbeState[] => [...probes].map((probe) => probe());
  return {
    add({ chain, step, policy }, name, probe) {
      const state = (): ProbeState => ({ chain, step, policy, name, ...ask(probe) });
      probes.add(state);
      return () => probes.delete(state);
    },
    states,
    families: () => [
      {
        name: "policy_engine_probe_ready",
        help: "Whether something that a step depends on is ready: 1 or 0.",
        type: "gauge",
        samples: states().map(({ chain, step, policy, name, ready }) => ({ labels: { chain, step, policy, name }, value: ready ? 1 : 0 })),
      },
    ],
  };
}

function ask(probe: () => { readonly ready: boolean; readonly detail: string }): { readonly ready: boolean; readonly detail: string } {
  try {
    const { ready, detail } = probe();
    return { ready, detail: detail.slice(0, detailLengthMax) };
  } catch {
    return { ready: false, detail: "the probe failed" };
  }
}
