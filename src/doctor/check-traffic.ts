/** What Envoy's counters say of the requests of a while: was the engine asked about them, and what became of asking. */
import { durationText } from "../config/quantities.ts";
import type { EngineCluster, Entrance } from "../envoy-config/entrances.ts";
import { growth, type Span } from "./counters.ts";
import { type Finding, finding } from "./finding.ts";

/** What came in through an entrance within the while. */
export interface Traffic {
  readonly entrance: string;
  readonly requests: number;
  /** Of the requests: answered with 1xx, 2xx or 3xx, which Envoy seldom does by itself. */
  readonly passed: number;
  /** Streams to the engine. */
  readonly asked: number;
}

/** Counters are read one after the other while requests come in: so many more may be on the one side. */
const slackShare = 0.01;
const slackMin = 2;
/** Clients that send nonsense are refused before any filter: that is no finding as long as they are few. */
const refusedShareMax = 0.05;

export function trafficOf({ name, counters, filterCounters }: Entrance, span: Span): Traffic {
  const grown = (counter: string): number => growth(span, ...below(counters, counter));
  return {
    entrance: name,
    requests: grown("downstream_rq_total"),
    passed: Math.max(0, sum(["1xx", "2xx", "3xx"].map((one) => grown(`downstream_rq_${one}`))) - grown(redirected)),
    asked: growth(span, ...below(filterCounters, "streams_started")),
  };
}

/** Requests that the connection manager itself redirects, before any filter. */
const redirected = "downstream_rq_redirected_with_normalized_path";

const below = (prefixes: readonly string[], counter: string): readonly string[] => prefixes.map((prefix) => `${prefix}${counter}`);

const sum = (numbers: readonly number[]): number => numbers.reduce((left, right) => left + right, 0);

/** `waitMs` is how long the while was. */
export function checkTraffic(entrance: Entrance, span: Span, source: string, waitMs: number): readonly Finding[] {
  const { name, counters, filterCounters, ways, clusters } = entrance;
  const traffic = trafficOf(entrance, span);
  const { requests, asked } = traffic;
  const grown = (counter: string): number => growth(span, ...below(filterCounters, counter));
  const time = durationText(waitMs);
  const findings: Finding[] = [];

  if (requests === 0) findings.push(finding("doctor-no-traffic", source, { entrance: name, time }));
  const openly = grown("failure_mode_allowed");
  // Those that were under way at the start were asked about before, those that are at the end may be just about to be.
  const underWay = (at: Span["before"]): number => sum(below(counters, "downstream_rq_active").map((one) => at.get(one) ?? 0));
  const passedBy = traffic.passed - asked - openly - underWay(span.before);
  // A stream that could not be started is not among those that were.
  const unasked = requests - asked - grown("streams_failed") - underWay(span.after);
  const early = growth(span, ...refusedBefore.flatMap((counter) => below(counters, counter)));
  const facts = { entrance: name, time, asked, ways };
  if (passedBy > Math.max(slackMin, requests * slackShare) || (asked === 0 && passedBy > 0)) {
    const code = ways.length > 0 && asked > 0 ? "doctor-partly-asked" : "doctor-not-asked";
    findings.push(finding(code, source, { ...facts, answered: traffic.passed }));
  } else if (unasked - early > Math.max(slackMin, requests * refusedShareMax) || (asked === 0 && unasked > early)) {
    findings.push(finding("doctor-partly-asked", source, { ...facts, answered: requests }));
  }
  if (openly > 0) findings.push(finding("doctor-failed-open", source, { entrance: name, time, requests: openly }));
  for (const [counter, code] of failures) {
    const count = grown(counter);
    if (count > 0) findings.push(finding(code, source, { entrance: name, time, count }));
  }
  return [...findings, ...clusters.flatMap((cluster) => checkCluster(cluster, span, source, time))];
}

/** Requests that the connection manager itself answers, before any filter. */
const refusedBefore = [
  redirected,
  "downstream_rq_failed_path_normalization",
  "downstream_rq_header_timeout",
  "downstream_rq_overload_close",
  "downstream_rq_rejected_via_ip_detection",
  "rq_overload_local_reply",
] as const;

const failures = [
  ["streams_failed", "doctor-streams-failed"],
  ["message_timeouts", "doctor-message-timeouts"],
  ["spurious_msgs_received", "doctor-spurious-messages"],
  ["rejected_header_mutations", "doctor-mutations-rejected"],
] as const;

function checkCluster({ name: cluster, counters }: EngineCluster, span: Span, source: string, time: string): readonly Finding[] {
  const findings: Finding[] = [];
  const total = span.after.get(`${counters}membership_total`) ?? 0;
  const healthy = span.after.get(`${counters}membership_healthy`) ?? 0;
  if (healthy === 0) findings.push(finding("doctor-no-engine", source, { cluster, total }));
  else if (healthy < total) findings.push(finding("doctor-engines-away", source, { cluster, total, healthy }));
  const overflow = growth(span, `${counters}upstream_rq_pending_overflow`);
  if (overflow > 0) findings.push(finding("doctor-overflow", source, { cluster, time, count: overflow }));
  return findings;
}
