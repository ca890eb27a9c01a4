/** What the engines' own admin ports say: are they ready, do they run what was checked, and does their count of exchanges fit Envoy's. */
import { durationText } from "../config/quantities.ts";
import { askAdmin, type Fetch, pageUrl, readAdmin } from "./admin-port.ts";
import { type Counters, growth, readCounters, type Span, slackOf } from "./counters.ts";
import { type Finding, finding } from "./finding.ts";

/** An engine as its admin port shows it. */
export interface EngineState {
  readonly port: URL;
  readonly ready: boolean;
  /** Undefined while it has no valid configuration. */
  readonly generation: { readonly number: number; readonly hash: string } | undefined;
}

/** The answer, or what there is to say because there is none. */
export async function readEngine(fetch: Fetch, port: URL): Promise<EngineState | Finding> {
  try {
    const { status } = await askAdmin(fetch, port, "readyz");
    const config = await askAdmin(fetch, port, "config");
    return { port, ready: status === 200, generation: config.status === 200 ? generationOf(JSON.parse(config.text)) : undefined };
  } catch (error) {
    return finding("doctor-engine-unreachable", port.href, { detail: error instanceof Error ? error.message : String(error) });
  }
}

function generationOf(page: { readonly generation?: { readonly number?: unknown; readonly hash?: unknown } }): EngineState["generation"] {
  const { number, hash } = page.generation ?? {};
  return typeof number === "number" && typeof hash === "string" ? { number, hash } : undefined;
}

/** Undefined when the engine answers no more. */
export async function readEngineCounters(fetch: Fetch, { port }: EngineState): Promise<Counters | undefined> {
  const text = await readAdmin(fetch, port, "metrics").catch(() => undefined);
  return text === undefined ? undefined : readCounters(text);
}

/** `hash` is that of the configuration that Envoy was checked for. */
export function checkEngineState({ port, ready, generation }: EngineState, hash: string): readonly Finding[] {
  const source = pageUrl(port, "readyz").href;
  if (!ready) return [finding("doctor-engine-not-ready", source, {})];
  if (generation === undefined || generation.hash === hash) return [];
  return [finding("doctor-engine-differs", pageUrl(port, "config").href, { generation: generation.number })];
}

/** An engine's counters at the start and at the end of the while. */
export interface WatchedEngine extends Span {
  readonly port: URL;
}

/** `waitMs` is how long the while was. */
export function checkEngineCounts(engine: WatchedEngine, waitMs: number): readonly Finding[] {
  const source = pageUrl(engine.port, "metrics").href;
  const time = durationText(waitMs);
  const ended = growth(engine, ...outcomes.map(outcomeName));
  const unsent = growth(engine, outcomeName("body-not-sent"));
  const observed = growth(engine, "policy_engine_observed_messages_total");
  const refused = ended > 0 && growth(engine, outcomeName("failed")) === ended;
  return [
    ...(observed > 0 ? [finding("doctor-observed", source, { time, count: observed })] : []),
    ...(unsent > 0 ? [finding("doctor-body-not-sent", source, { time, count: unsent })] : []),
    ...(refused ? [finding("doctor-all-refused", source, { time, count: ended })] : []),
  ];
}

/** Whether Envoy asks others than these engines; `asked` are the streams that it has started in a while within theirs, and that did not fail. */
export function checkElsewhere(engines: readonly WatchedEngine[], asked: number, waitMs: number): readonly Finding[] {
  const [first] = engines;
  // Nobody knows what an engine has seen before it started anew.
  if (engines.some(({ before, after }) => before.get(startTime) !== after.get(startTime))) return [];
  const seen = engines.reduce((sum, engine) => sum + Math.max(0, started(engine.after) - started(engine.before)), 0);
  // Streams that have just begun may not be there yet.
  if (first === undefined || asked - seen <= slackOf(asked)) return [];
  return [finding("doctor-engine-elsewhere", pageUrl(first.port, "metrics").href, { time: durationText(waitMs), asked, seen })];
}

const startTime = "process_start_time_seconds";
const outcomes = ["continued", "passed", "replied", "failed", "gone", "body-not-sent"] as const;
const outcomeName = (outcome: string): string => `policy_engine_exchanges_total{outcome="${outcome}"}`;

/** Exchanges since the engine started. */
function started(counters: Counters): number {
  return outcomes.reduce((sum, one) => sum + (counters.get(outcomeName(one)) ?? 0), counters.get("policy_engine_exchanges_open") ?? 0);
}
