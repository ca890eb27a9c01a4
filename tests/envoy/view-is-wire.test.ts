/** The same as `tests/kernel/view-is-wire.test.ts`, with a real Envoy around it: what the steps saw last are the bytes on the wire. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type HeaderLine, valuesOf } from "../../scripts/processes/header-lines.ts";
import { shareOfRuns } from "../support/test-stage.ts";
import { chainCount, plannedChains, type View } from "../support/view-is-wire/chains.ts";
import { type Arrived, expectWire } from "../support/view-is-wire/expect-wire.ts";
import { type Act, acts, anyValue, type Direction, pathAndQuery, type Sent, sent, smallBody } from "../support/view-is-wire/generated.ts";
import type { AnswerPiece, Piece, Protocol, Setting, Stimulus, UpstreamScript } from "./conformance/case.ts";
import { sendRequest } from "./conformance/client.ts";
import { startConformanceStage } from "./conformance/conformance-stage.ts";
import { asChunk, readChunks } from "./conformance/http1-message.ts";
import type { RawRequest } from "./conformance/raw-upstream.ts";

/** A message and how it travels. */
interface Travelling extends Sent {
  /** Its body, piece by piece. */
  readonly pieces: readonly (readonly [bytes: Uint8Array, waitMs: number])[];
  readonly trailers: Readonly<Record<string, string>>;
}

/** Blanks at its ends are nobody's. */
const withoutBlanks = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "");
const fieldValue = anyValue.map((bytes) => Buffer.from(withoutBlanks(Buffer.from(bytes).toString("latin1")), "latin1"));
/** Not empty: to Envoy an empty member of a list is none, so that a step could change `content-encoding` and the wire would not show it. */
const setValue = anyValue.filter((bytes) => bytes.some((byte) => byte > 32));
/** Larger than a frame of HTTP/2 and than what Envoy reads at once; nothing that gzip makes much smaller, which would be refused. */
const largeBody = fc
  .tuple(fc.nat(), fc.integer({ min: 1_000, max: 100_000 }))
  .map(([seed, outputLength]) => createHash("shake256", { outputLength }).update(String(seed)).digest());
const body = fc.oneof({ weight: 3, arbitrary: smallBody }, { weight: 1, arbitrary: largeBody });

function travelling(direction: Direction): fc.Arbitrary<Travelling> {
  const cuts = fc.array(fc.tuple(fc.nat({ max: 1000 }), fc.constantFrom(0, 0, 1, 3)), { maxLength: 4 });
  const trailers = fc.dictionary(
    fc.constantFrom("x-sum", "x-note"),
    fieldValue.map((bytes) => bytes.toString("latin1")),
  );
  return fc.tuple(sent(direction, fieldValue, body), cuts, trailers).map(([message, cuts, trailers]) => ({
    ...message,
    pieces: cutUp(message.body ?? new Uint8Array(), cuts),
    // Behind nothing they mean something else, and have cases of their own.
    trailers: isChunked(message) && message.body?.length ? trailers : {},
  }));
}

function cutUp(bytes: Uint8Array, cuts: readonly (readonly [perMille: number, waitMs: number])[]): Travelling["pieces"] {
  const places = cuts.map(([perMille, waitMs]) => [Math.floor((bytes.length * perMille) / 1000), waitMs] as const);
  const sorted = [...places.sort(([left], [right]) => left - right), [bytes.length, 0] as const];
  return sorted.map(([to, waitMs], index) => [bytes.subarray(sorted[index - 1]?.[0] ?? 0, to), waitMs]);
}

const settings: Readonly<Record<string, Setting>> = {
  "bodies that the engine asks for": { modes: "asked" },
  "bodies that the routes say": { modes: "printed" },
};

describe.each(Object.entries(settings))("%s", (_, setting) => {
  test("what arrives is what the last step saw, byte for byte", async ({ onTestFinished }) => {
    const chains = plannedChains();
    const stage = await startConformanceStage(setting, chains);
    onTestFinished(() => stage.close());
    const { upstream, engine, envoy } = stage;
    let replaced = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: chainCount - 1 }),
        acts("request", setValue, body),
        acts("response", setValue, body),
        travelling("request"),
        travelling("response").map(withLength),
        fc.constantFrom<Protocol>("http1", "http2"),
        fc.boolean(),
        async (mask, request, response, asked, answered, protocol, early) => {
          chains.begin({ request, response });
          upstream.begin(upstreamScript(answered, early));
          const client = await sendRequest(envoy.port, stimulus(`/c${mask}`, asked), protocol);
          expect([client.status, client.ended]).toEqual([200, "whole"]);
          const [arrived, ...more] = upstream.seen();
          if (arrived === undefined) throw new Error("the upstream was not asked");
          expect(more).toEqual([]);
          expectArrived("request", asked, request, requestParts(arrived), chains.seen("request"));
          expectArrived("response", answered, response, { target: undefined, ...client }, chains.seen("response"));
          await engine.exchanges();
          if (!requestParts(arrived).body.equals(asked.body ?? new Uint8Array())) replaced += 1;
        },
      ),
      shareOfRuns({ seed: 7, numRuns: 150 }),
    );
    expect(replaced).toBeGreaterThan(7);
  });
});

function expectArrived(
  direction: Direction,
  was: Travelling,
  acts: readonly Act[],
  arrived: Arrived & { readonly trailers: readonly HeaderLine[] },
  view: View | undefined,
): void {
  // Without a body some methods need it, and Envoy writes it.
  const length = was.headers.some(([name]) => name === "content-length") || was.body !== undefined;
  const headers = arrived.headers.filter(([name, text]) => length || name !== "content-length" || text !== "0");
  expectWire(direction, asEnvoyHasIt(was), acts, asEnvoyHasIt({ ...arrived, headers }), view && asEnvoyHasIt(view));
  expect(Object.fromEntries(arrived.trailers)).toEqual(was.trailers);
}

/** What Envoy itself writes behind the steps, in HTTP/1.1 and of its own. */
const ofEnvoy: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "transfer-encoding",
  "x-envoy-expected-rq-timeout-ms",
  "server",
  "date",
]);

/** Lists that Envoy keeps as one line, without their empty members (the same by RFC 9110 5.3 and RFC 9113 8.2.3), and what is between members. */
const oneLine: ReadonlyMap<string, string> = new Map([
  ["content-encoding", ","],
  ["cookie", ";"],
  ["etag", ","],
]);

/** A message without what Envoy writes, and with lists as it writes them. */
function asEnvoyHasIt<Message extends { readonly headers: readonly HeaderLine[] }>(message: Message): Message {
  const groups = Map.groupBy(message.headers, ([name]) => name);
  const headers = Array.from(groups).flatMap(([name, group]): readonly HeaderLine[] => {
    if (ofEnvoy.has(name)) return [];
    const between = oneLine.get(name);
    if (between === undefined) return group;
    const members = group.flatMap(([, text]) => text.split(between).map(withoutBlanks)).filter((member) => member !== "");
    return members.length === 0 ? [] : [[name, members.join(between)]];
  });
  return { ...message, headers };
}

/** A response without a body that does not say so goes on until the connection ends (RFC 9112 6.3). */
function withLength(message: Travelling): Travelling {
  return message.body === undefined ? { ...message, headers: [...message.headers, ["content-length", "0"]] } : message;
}

function isChunked({ headers, body }: Pick<Sent, "headers" | "body">): boolean {
  return body !== undefined && !headers.some(([name]) => name === "content-length");
}

function stimulus(path: string, { headers, body, pieces, trailers }: Travelling): Stimulus {
  const groups = Map.groupBy(headers, ([name]) => name);
  const lines = Object.fromEntries(Array.from(groups, ([name, group]) => [name, group.map(([, text]) => text)]));
  if (body === undefined) return { request: `GET ${path}`, headers: lines };
  const chunked = isChunked({ headers, body });
  const sending: readonly Piece[] = pieces.flatMap(([bytes, waitMs]) => [asPiece(bytes), { waitMs }]);
  return {
    request: `POST ${path}`,
    headers: chunked ? { ...lines, "transfer-encoding": "chunked" } : lines,
    body: chunked ? [...sending, { trailers }] : sending,
  };
}

/** A response that begins before the request has come to its end does not end before it: Envoy would give the request up. */
function upstreamScript({ headers, body, pieces, trailers }: Travelling, early: boolean): UpstreamScript {
  const chunked = isChunked({ headers, body });
  const lines = chunked ? [...headers, ["transfer-encoding", "chunked"]] : headers;
  const head = asPiece(Buffer.from(`HTTP/1.1 200 OK\r\n${fieldLines(lines)}\r\n`, "latin1"));
  const sending = pieces.flatMap(([bytes, waitMs]): readonly AnswerPiece[] => [asPiece(chunked ? asChunk(bytes) : bytes), { waitMs }]);
  if (!chunked)
    return early && body?.length ? { at: "headers", answer: [head, "request-end", ...sending] } : { answer: [head, ...sending] };
  const end = asPiece(Buffer.from(`0\r\n${fieldLines(Object.entries(trailers))}\r\n`, "latin1"));
  return early ? { at: "headers", answer: [head, ...sending, "request-end", end] } : { answer: [head, ...sending, end] };
}

const asPiece = (bytes: Uint8Array) => ({ send: `hex:${Buffer.from(bytes).toString("hex")}` });

const fieldLines = (lines: readonly (readonly string[])[]): string => lines.map(([name, text]) => `${name}: ${text}\r\n`).join("");

/** The parts of the request that reached the upstream. */
function requestParts({ line, headers, raw }: RawRequest) {
  const [method = "", whole = ""] = line.split(" ");
  const [host = ""] = valuesOf(headers, "host");
  const target = { method, host, ...pathAndQuery(whole) };
  if (valuesOf(headers, "transfer-encoding").length === 0) return { target, headers, body: raw, trailers: [] };
  const { body, trailers } = readChunks(raw);
  return { target, headers, body, trailers };
}
