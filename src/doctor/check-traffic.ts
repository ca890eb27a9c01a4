/** What Envoy's counters say of the requests of a while: was the engine asked about them, and what became of asking. */
import { durationText } from "../config/quantities.ts";
import type { EngineCluster, Entrance } from "../envoy-config/entrances.ts";
import { growth, type Span, slackOf } from "./counters.ts";
import { type Finding, finding } from "./finding.ts";

/** What came in through an entrance within the while. */
export interface Traffic {
  readonly entrance: string;
  readonly requests: number;
  /** Answered with 2xx or 3xx, which Envoy seldom does by itself. Not 1xx: another answer of the same request follows most of them. */
  readonly passed: number;
  /** Streams to the engine. */
  readonly asked: number;
}

/** Clients that send nonsense are refused before any filter: that is no finding as long as they are few. */
const refusedShareMax = 0.05;

export function trafficOf({ name, counters, filterCounters }: Entrance, span: Span): Traffic {
  const grown = (counter: string): number => growth(span, ...below(counters, counter));
  return {
    entrance: name,
    requests: grown("downstream_rq_total"),
    passed: Math.max(0, grown("downstream_rq_2xx") + grown("downstream_rq_3xx") - grown(redirected)),
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
  const underWay = (at: Span["before"]): number => sum(below(counters, "downstream_rq_active").map((one) => at.get(one) ?? 0));
  const more = underWay(span.after) - underWay(span.before);
  // By as many as there are fewer under way, more were answered than came, and were asked about before.
  const passedBy = traffic.passed - asked - openly - Math.max(0, -more);
  // A stream that could not be started is not among those that were. What has just come may be just about to be asked about.
  const unasked = requests - asked - grown("streams_failed") - Math.max(0, more);
  const early = growth(span, ...refusedBefore.flatMap((counter) => below(counters, counter)));
  const facts = { entrance: name, time, asked, ways };
  if (passedBy > slackOf(requests) || (asked === 0 && passedBy > 0)) {
    const code = ways.length > 0 && asked > 0 ? "doctor-partly-asked" : "doctor-not-asked";
    findings.push(finding(code, source, { ...facts, answered: traffic.passed }));
  } else if (unasked - early > slackOf(requests) + requests * refusedShareMax || (asked === 0 && unasked > early)) {
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
