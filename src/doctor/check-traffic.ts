/** What Envoy's counters say of the requests of a while: was the engine asked about them, and what became of asking. */
import { durationText } from "../config/quantities.ts";
import type { Entrance } from "../envoy-config/entrances.ts";
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
  const redirected = growth(span, `${counters}downstream_rq_redirected_with_normalized_path`);
  const classes = ["1xx", "2xx", "3xx"].map((one) => `${counters}downstream_rq_${one}`);
  return {
    entrance: name,
    requests: growth(span, `${counters}downstream_rq_total`),
    passed: Math.max(0, growth(span, ...classes) - redirected),
    asked: growth(span, ...filterCounters.map((prefix) => `${prefix}streams_started`)),
  };
}

/** `waitMs` is how long the while was. */
export function checkTraffic(entrance: Entrance, span: Span, source: string, waitMs: number): readonly Finding[] {
  const { name, counters, filterCounters, ways, clusters } = entrance;
  const traffic = trafficOf(entrance, span);
  const { requests, asked } = traffic;
  const grown = (counter: string): number => growth(span, ...filterCounters.map((prefix) => `${prefix}${counter}`));
  const time = durationText(waitMs);
  const findings: Finding[] = [];

  if (requests === 0) findings.push(finding("doctor-no-traffic", source, { entrance: name, time }));
  // Those that were under way at the start were asked about before, those that are at the end may be just about to be.
  const underWay = (counter: Span["before"]): number => counter.get(`${counters}downstream_rq_active`) ?? 0;
  const slack = Math.max(slackMin, requests * slackShare);
  const unseen = traffic.passed - asked - underWay(span.before);
  const unasked = requests - asked - underWay(span.after);
  const early = growth(span, ...refusedBefore.map((counter) => `${counters}${counter}`));
  if (unseen > slack || (asked === 0 && unseen > 0)) {
    const code = ways.length > 0 && asked > 0 ? "doctor-partly-asked" : "doctor-not-asked";
    findings.push(finding(code, source, { entrance: name, time, answered: traffic.passed, asked, ways }));
  } else if (unasked - early > Math.max(slackMin, requests * refusedShareMax) || (asked === 0 && unasked > early)) {
    findings.push(finding("doctor-partly-asked", source, { entrance: name, time, answered: requests, asked, ways }));
  }

  const openly = grown("failure_mode_allowed");
  if (openly > 0) findings.push(finding("doctor-failed-open", source, { entrance: name, time, requests: openly }));
  for (const [counter, code] of failures) {
    const count = grown(counter);
    if (count > 0) findings.push(finding(code, source, { entrance: name, time, count }));
  }
  return [...findings, ...clusters.flatMap((cluster) => checkCluster(cluster, span, source, time))];
}

/** Requests that the connection manager itself refuses or redirects, before any filter. */
const refusedBefore = [
  "downstream_rq_redirected_with_normalized_path",
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

function checkCluster(cluster: string, span: Span, source: string, time: string): readonly Finding[] {
  const prefix = `cluster.${cluster.replaceAll(":", "_")}.`;
  const findings: Finding[] = [];
  const total = span.after.get(`${prefix}membership_total`) ?? 0;
  const healthy = span.after.get(`${prefix}membership_healthy`) ?? 0;
  if (healthy === 0) findings.push(finding("doctor-no-engine", source, { cluster, total }));
  else if (healthy < total) findings.push(finding("doctor-engines-away", source, { cluster, total, healthy }));
  const overflow = growth(span, `${prefix}upstream_rq_pending_overflow`);
  if (overflow > 0) findings.push(finding("doctor-overflow", source, { cluster, time, count: overflow }));
  return findings;
}
