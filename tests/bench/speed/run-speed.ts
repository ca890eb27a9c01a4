/** Plays a plan from start to end. */
import { alone, type Contender, type NoOp } from "./contenders.ts";
import { residentBytes } from "./cpu-time.ts";
import { type HeldMemory, measureHeld } from "./held-memory.ts";
import { measureClosed, measureOpen, type Phase } from "./measure.ts";
import { type BenchPlan, contendersOf, type Group, heldContenders } from "./plan.ts";
import { buildNoOps } from "./processors.ts";
import { playRounds, type Rounded } from "./rounds.ts";
import { type BenchStage, type Place, startBenchStage } from "./stage.ts";

export interface SpeedReport {
  /** Those that could be built. */
  readonly noOps: readonly NoOp[];
  readonly groups: readonly GroupReport[];
  readonly held: readonly HeldMemory[];
  /** By contender: from its start until it served, and its resident memory before and after all of the load. */
  readonly processes: ReadonlyMap<string, ProcessReport>;
  /** How many answers were looked at, and what was wrong with those that were. */
  readonly answers: number;
  readonly wrong: number;
  readonly faults: readonly string[];
}

export interface ProcessReport {
  readonly startupMs: number;
  readonly idleBytes: number;
  readonly loadedBytes: number;
}

export interface GroupReport {
  readonly group: Group;
  readonly reference: Contender;
  /** Closed loop: everybody between phases of the reference; Envoy alone too. */
  readonly closed: Rounded;
  /** At a rate: everybody, the reference too, between phases of Envoy alone. */
  readonly open: readonly { readonly perSecond: number; readonly rounded: Rounded }[];
}

/** Rejects when something does not start. @param say is told how far it is */
export async function runSpeed(plan: BenchPlan, say: (text: string) => void): Promise<SpeedReport> {
  const noOps = await buildNoOps(plan.noOps, say);
  say("starting an upstream, Envoy and everybody who is measured ...");
  const stage = await startBenchStage({ contenders: contendersOf(plan), noOps, envoyThreads: plan.envoyThreads });
  try {
    const idle = memoryOf(stage);
    const phases: Phase[] = [];
    const onPhase = (phase: Phase): void => {
      phases.push(phase);
      if (phase.wrong > 0) say(`${phase.contender}: ${phase.wrong} wrong answers, such as: ${phase.faults[0]}`);
    };
    say("until compilers have seen the code, and caches the tokens");
    for (const place of stage.places) onPhase(await measureClosed(stage, place, plan.warmUp));
    const groups: GroupReport[] = [];
    for (const group of plan.groups) groups.push(await playGroup(stage, plan, group, onPhase, say));
    const held = plan.held === 0 ? [] : await playHeld(stage, plan.held, say);
    const loaded = memoryOf(stage);
    return {
      noOps: [...noOps.keys()],
      groups,
      held,
      processes: new Map(
        stage.places.flatMap(({ contender: { name }, running }) => {
          const [idleBytes, loadedBytes] = [idle.get(name), loaded.get(name)];
          if (running === undefined || idleBytes === undefined || loadedBytes === undefined) return [];
          return [[name, { startupMs: running.startupMs, idleBytes, loadedBytes }]];
        }),
      ),
      answers: phases.reduce((sum, { answers }) => sum + answers, 0),
      wrong: [...phases, ...held].reduce((sum, { wrong }) => sum + wrong, 0),
      faults: phases.flatMap(({ contender, faults }) => faults.map((fault) => `${contender}: ${fault}`)),
    };
  } finally {
    await stage.close();
  }
}

async function playGroup(
  stage: BenchStage,
  { rounds, closedMs, leadInMs, openMs }: BenchPlan,
  group: Group,
  onPhase: (phase: Phase) => void,
  say: (text: string) => void,
): Promise<GroupReport> {
  const nobody = find(stage, alone(group.load));
  const [reference] = group.references.flatMap(({ name }) => stage.places.filter(({ contender }) => contender.name === name));
  if (nobody === undefined || reference === undefined) throw new Error("nobody is there to compare with");
  const others = group.contenders.flatMap((contender) => find(stage, contender) ?? []).filter((place) => place !== reference);
  say(`${group.load}: as many as they take, ${rounds} rounds`);
  const closed = await playRounds({
    reference,
    places: [nobody, ...others],
    count: rounds,
    measure: async (place) => {
      onPhase(await measureClosed(stage, place, { forMs: leadInMs }));
      return measureClosed(stage, place, { forMs: closedMs });
    },
    onPhase,
  });
  const open: { readonly perSecond: number; readonly rounded: Rounded }[] = [];
  for (const perSecond of group.rates) {
    say(`${group.load}: ${perSecond} a second, ${rounds} rounds`);
    const rounded = await playRounds({
      reference: nobody,
      places: [reference, ...others],
      count: rounds,
      measure: async (place) => {
        onPhase(await measureOpen(stage, place, perSecond, leadInMs));
        return measureOpen(stage, place, perSecond, openMs);
      },
      onPhase,
    });
    open.push({ perSecond, rounded });
  }
  return { group, reference: reference.contender, closed, open };
}

function find({ places }: BenchStage, { name }: Contender): Place | undefined {
  return places.find(({ contender }) => contender.name === name);
}

async function playHeld(stage: BenchStage, exchanges: number, say: (text: string) => void): Promise<readonly HeldMemory[]> {
  say(`${exchanges} exchanges open at once`);
  const all: HeldMemory[] = [];
  for (const contender of heldContenders) {
    const place = find(stage, contender);
    const memory = place && (await measureHeld(place, exchanges));
    if (memory !== undefined) all.push(memory);
  }
  return all;
}

/** Resident, by contender. */
function memoryOf({ places }: BenchStage): ReadonlyMap<string, number> {
  return new Map(places.flatMap(({ contender, running }) => (running === undefined ? [] : [[contender.name, residentBytes(running.pid)]])));
}
