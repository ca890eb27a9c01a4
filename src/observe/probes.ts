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
  readonly ageSeconds?: number;
}

export type Probe = () => { readonly ready: boolean; readonly detail: string; readonly ageSeconds?: number };

/** Shown in readiness and metrics; a probe never makes the whole engine not ready. */
export interface ProbeRegistry {
  /** Returns what removes the probe. Of several of one step and name, from instances that follow each other, the newest speaks. */
  add(step: StepLabels, name: string, probe: Probe): () => void;
  states(): readonly ProbeState[];
  families(): readonly MetricFamily[];
}

const detailLengthMax = 256;

export function createProbes(): ProbeRegistry {
  const probes = new Set<HeldProbe>();
  const states = (): readonly ProbeState[] => {
    const newest = new Map([...probes].map((held) => [JSON.stringify([held.chain, held.step, held.policy, held.name]), held]));
    return [...newest.values()].map(({ chain, step, policy, name, probe }) => ({ chain, step, policy, name, ...ask(probe) }));
  };
  return {
    add({ chain, step, policy }, name, probe) {
      const held = { chain, step, policy, name, probe };
      probes.add(held);
      return () => probes.delete(held);
    },
    states,
    families: () => [
      {
        name: "policy_engine_probe_ready",
        help: "Whether something that a step depends on is ready: 1 or 0.",
        type: "gauge",
        samples: states().map(({ chain, step, policy, name, ready }) => ({ labels: { chain, step, policy, name }, value: ready ? 1 : 0 })),
      },
      {
        name: "policy_engine_probe_age_seconds",
        help: "How old something that a step works with is, in seconds.",
        type: "gauge",
        samples: states().flatMap(({ chain, step, policy, name, ageSeconds }) =>
          ageSeconds === undefined ? [] : [{ labels: { chain, step, policy, name }, value: ageSeconds }],
        ),
      },
    ],
  };
}

interface HeldProbe extends StepLabels {
  readonly name: string;
  readonly probe: Probe;
}

function ask(probe: Probe): ReturnType<Probe> {
  try {
    const { ready, detail, ageSeconds } = probe();
    return { ready, detail: detail.slice(0, detailLengthMax), ...(ageSeconds === undefined ? {} : { ageSeconds }) };
  } catch {
    return { ready: false, detail: "the probe failed" };
  }
}
