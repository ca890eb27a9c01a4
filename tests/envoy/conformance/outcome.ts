/** What a run has come to, beside what it should have: two objects to be compared, so that a difference shows by its name. */
import { type HeaderLine, valuesOf } from "../../../scripts/processes/header-lines.ts";
import type { Expected, Run } from "./case.ts";
import type { ClientSaw } from "./client.ts";
import type { RawRequest } from "./raw-upstream.ts";
import type { SeenExchange } from "./recorded-engine.ts";

export interface Outcome {
  readonly client: ClientSaw;
  /** What reached the upstream. */
  readonly requests: readonly RawRequest[];
  readonly exchanges: readonly SeenExchange[];
}

export function outcomeOf({ expect: { client: wanted, upstream, engine } }: Run, { client, requests, exchanges }: Outcome): object {
  const [request] = requests;
  const answers = exchanges.flatMap((exchange) => exchange.answers);
  const reply = answers.find((answer) => "reply" in answer);
  return {
    client: {
      status: client.status,
      headers: only(client.headers, wanted.headers),
      body: wanted.body === undefined && isProblem(client) ? problem : client.body.toString("utf8"),
      trailers: Object.fromEntries(client.trailers),
      ended: client.ended,
      // Where there is a decision, it has an id.
      decided: valuesOf(client.headers, "x-decision-id").length,
    },
    upstream: {
      hits: requests.length,
      line: upstream.line === undefined ? undefined : request?.line,
      headers: only(request?.headers ?? [], upstream.headers),
      raw: upstream.rawBytes === undefined ? request?.raw.toString("latin1") : undefined,
      rawBytes: upstream.rawBytes === undefined ? undefined : request?.raw.length,
    },
    engine: {
      saw: exchanges.flatMap(({ saw }) => saw),
      replied: reply?.code,
      ended: engine.saw.length === 0 ? undefined : exchanges.map(({ ended }) => ended).join(),
      answeredTooOften: exchanges.some((exchange) => exchange.answers.length > exchange.saw.length),
    },
  };
}

export function expectedOutcome(run: Run): object {
  const { client, upstream, engine } = run.expect;
  return {
    client: {
      status: client.status,
      headers: lists(client.headers),
      body: expectedBody(run),
      trailers: client.trailers ?? {},
      ended: client.status === "gone" ? "cut" : (client.ended ?? "whole"),
      decided: engine.replied === undefined || client.status === "gone" ? 0 : 1,
    },
    upstream: {
      hits: upstream.hits,
      line: upstream.line,
      headers: lists(upstream.headers),
      raw: upstream.hits === 0 || upstream.rawBytes !== undefined ? undefined : (upstream.raw ?? ""),
      rawBytes: upstream.rawBytes,
    },
    engine: {
      saw: engine.saw,
      replied: engine.replied,
      ended: engine.saw.length === 0 ? undefined : (engine.ended ?? "ok"),
      answeredTooOften: false,
    },
  };
}

/** The engine's own words for why it refuses: RFC 9457, with the decision's id in the body as in the header. */
const problem = "(a problem)";

function isProblem({ status, headers, body }: ClientSaw): boolean {
  if (!valuesOf(headers, "content-type").includes("application/problem+json")) return false;
  const said: unknown = JSON.parse(body.toString("utf8"));
  const [id] = valuesOf(headers, "x-decision-id");
  return typeof said === "object" && said !== null && Reflect.get(said, "status") === status && Reflect.get(said, "decisionId") === id;
}

function expectedBody({ name, expect: { client, engine }, upstream }: Run): string {
  if (client.body !== undefined) return client.body;
  if (client.status === "gone") return "";
  if (engine.replied !== undefined) return problem;
  if (client.status === 200 && upstream?.answer === undefined) return "ok";
  throw new Error(`the run \`${name}\` must say what the client gets`);
}

type Values = Expected["client"]["headers"];

const lists = (headers: Values = {}): object =>
  Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [values].flat()]));

const only = (lines: readonly HeaderLine[], names: Values = {}): object =>
  Object.fromEntries(Object.keys(names).map((name) => [name, valuesOf(lines, name)]));
