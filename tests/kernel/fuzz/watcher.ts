/** Knows, beside a stream, what was sent and what the handlers did, and holds the engine's writes against what is promised. */
import { ProcessingMode_BodySendMode as BodyMode } from "../../../src/generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import {
  type HttpHeaders,
  ProcessingRequest,
  ProcessingResponse,
} from "../../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import type { StreamHandler } from "../../../src/kernel/transport.ts";
import { type EngineDoes, engineDoes } from "../../conversations/conversation.ts";
import type { EngineUnderTest } from "../../conversations/engine-under-test.ts";
import type { Coverage } from "./coverage.ts";
import type { PhaseCase } from "./messages.ts";
import { comes, leaves, type PassingBody, wayOf } from "./passing-body.ts";
import type { Direction, Step } from "./steps.ts";
import type { Stage } from "./transforms.ts";

/** Whether the transport takes what is written at once, or only a little later. */
export type Room = "always" | "later";

/** Whether the chain denies everybody. */
export type Lets = "some pass" | "nobody pass";

/** What one exchange has seen so far; `faults` is what should not have happened. */
export interface Watch {
  readonly faults: string[];
  /** All that the engine has written. */
  readonly writes: EngineDoes[];
  /** Handlers that were called, and those that have let the exchange go on. */
  readonly called: Set<string>;
  readonly done: Set<string>;
  readonly unanswered: PhaseCase[];
  /** Directions whose headers were answered while steps of theirs wait for the body. */
  readonly holding: Set<Direction>;
  /** Directions whose body Envoy sends whole, as it says. */
  readonly whole: Set<Direction>;
  /** Directions whose body Envoy sends in pieces, as it says: nobody may take one for the whole. */
  readonly pieces: Set<Direction>;
  /** Directions whose body Envoy sends in FULL_DUPLEX_STREAMED, as it says. */
  readonly duplex: Set<Direction>;
  /** Bodies that pass in pieces, from their headers on. */
  readonly passing: Map<Direction, PassingBody>;
  /** What streamed handlers have left behind for the body of a direction. */
  readonly stages: Readonly<Record<Direction, Stage[]>>;
  /** Directions whose headers have come, and those of them whose headers end them. */
  readonly begun: Set<Direction>;
  readonly bodyless: Set<Direction>;
  /** Directions whose headers said how long the body is. */
  readonly measured: Set<Direction>;
  running: number;
  /** A step has promised what never comes: its deadline must pass. */
  hangs: boolean;
  halfClosed: boolean;
  replied: boolean;
  ended: boolean;
  /** The transport has said that there is no room, and not yet that there is again. */
  full: boolean;
  paused: boolean;
}

export function newWatch(): Watch {
  return {
    faults: [],
    writes: [],
    called: new Set(),
    done: new Set(),
    unanswered: [],
    holding: new Set(),
    whole: new Set(),
    pieces: new Set(),
    duplex: new Set(),
    passing: new Map(),
    stages: { request: [], response: [] },
    begun: new Set(),
    bodyless: new Set(),
    measured: new Set(),
    running: 0,
    hangs: false,
    halfClosed: false,
    replied: false,
    ended: false,
    full: false,
    paused: false,
  };
}

/** Opens a stream whose every write is held against what is promised. */
export function watched(
  engine: EngineUnderTest,
  watch: Watch,
  steps: readonly Step[],
  room: Room,
  lets: Lets,
  coverage: Coverage,
): StreamHandler {
  const fault = (text: string): void => void watch.faults.push(text);
  const undone = (phase: "request" | "response"): readonly number[] =>
    steps.flatMap((step, index) => {
      const passed = step.request === undefined || watch.done.has(`request ${index}`);
      const must = step.onError === "deny" && step[phase] !== undefined && (phase === "request" || passed);
      return must && !watch.done.has(`${phase} ${index}`) ? [index] : [];
    });

  const answered = (does: EngineDoes, bytes: Uint8Array): void => {
    watch.writes.push(does);
    if (watch.replied || watch.ended) fault(`${JSON.stringify(does)} after ${watch.replied ? "a reply" : "the end"}`);
    if ("reply" in does) {
      watch.replied = true;
      if (does.reply < 200 || does.reply > 599 || (lets === "nobody pass" && does.reply < 400)) fault(`a reply with ${does.reply}`);
      return;
    }
    if (!("answer" in does)) return;
    const direction = does.answer.startsWith("request") ? "request" : "response";
    const passing = watch.passing.get(direction);
    if (passing !== undefined && does.answer !== `${direction}-headers`) {
      if (lets === "nobody pass") fault(`${does.answer} was answered although nobody may pass`);
      if (watch.unanswered.some((phase) => phase === `${direction}Headers`)) fault(`${does.answer} before the headers are answered`);
      const { part, ends } = pieceOf(bytes);
      watch.faults.push(...leaves(passing, part, ends));
      coverage.answered(`${ends === undefined ? "a piece" : `the end as ${ends}`} of the ${direction}, ${wayOf(passing)}`);
      return;
    }
    const waiting = steps.some(
      (step, index) => step.body[direction] === "buffered" && step[direction] !== undefined && !watch.called.has(`${direction} ${index}`),
    );
    const asked = !watch.pieces.has(direction) && (watch.whole.has(direction) || does.buffer?.includes(direction) === true);
    const held = undone(direction).length > 0 ? waiting : watch.stages[direction].length > 0;
    if (does.answer === `${direction}-headers` && passing === undefined && asked && held) {
      watch.holding.add(direction);
      coverage.answered(direction === "request" ? "held" : "held back");
    } else {
      if (lets === "nobody pass") fault(`${does.answer} was answered although nobody may pass`);
      coverage.answered(does.answer);
      // A body may not be switched off while somebody waits for it.
      const ends = does.answer === `${direction}-headers` || watch.holding.has(direction);
      if (ends && undone(direction).length > 0) fault(`${does.answer} let pass, without the steps ${undone(direction).join()}`);
      if (ends) watch.holding.delete(direction);
    }
    if (
      passing !== undefined &&
      passing.stages.length > 0 &&
      watch.measured.has(direction) &&
      does.remove?.includes("content-length") !== true
    )
      fault("the length of what has come is said of what the steps make of it");
    if (does.part !== undefined) fault(`${does.answer} in pieces, where none have come`);
    if (does.body !== undefined) {
      const length = does.body.startsWith("hex:") ? (does.body.length - 4) / 2 : Buffer.byteLength(does.body);
      const said = does.set?.["content-length"];
      if (watch.measured.has(direction) ? said?.join() !== String(length) : said !== undefined)
        fault(`content-length ${said} with ${length} bytes`);
    }
    if (does.ask !== undefined) overridden(watch, does);
    const at = watch.unanswered.findIndex((phase) => phase.startsWith(direction));
    if (at === -1 || watch.unanswered[at] !== phaseOf(does.answer)) fault(`${does.answer} answers no message, or one out of turn`);
    watch.unanswered.splice(at, 1);
  };
  const endedWell = (): void => {
    watch.writes.push({ end: "ok" });
    if (watch.ended) fault("OK after the end");
    watch.ended = true;
    if (watch.replied) return;
    if (watch.unanswered.length > 0) fault(`OK with ${watch.unanswered.join()} unanswered`);
    if (watch.running > 0) fault("OK while a handler runs");
    for (const [direction, { over }] of watch.passing) if (!over) fault(`OK while the body of the ${direction} passes`);
    if (watch.holding.size > 0) fault(`OK while a step waits for the body of the ${[...watch.holding].join()}`);
    if (!watch.halfClosed && lets === "nobody pass") fault("OK without a reply");
    if (!watch.halfClosed && undone("response").length > 0)
      fault(`OK before the response handlers of the steps ${undone("response").join()}`);
  };

  const handler = engine.open(
    { get: (key) => (key === "x-route" ? "r:route" : undefined) },
    {
      send(bytes) {
        answered(engineDoes(bytes), bytes);
        if (room === "always") return true;
        if (!watch.full) {
          watch.full = true;
          setImmediate(() => {
            watch.full = false;
            handler.drained();
          });
        }
        return false;
      },
      sendAndEnd(bytes) {
        answered(engineDoes(bytes), bytes);
        endedWell();
      },
      end: endedWell,
      fail: (status) => {
        watch.writes.push({ end: status === "unavailable" ? "unavailable" : "internal" });
        if (watch.replied || watch.ended) fault("an error after a reply or the end");
        watch.ended = true;
      },
      pause: () => {
        if (watch.paused || watch.passing.size === 0) fault("nothing is to be paused");
        watch.paused = true;
      },
      resume: () => {
        if (!watch.paused) fault("nothing was paused");
        watch.paused = false;
      },
    },
  );
  return handler;
}

/** A piece of a body in an answer, and what it says of the end. */
function pieceOf(bytes: Uint8Array): { readonly part: Uint8Array; readonly ends: PassingBody["whole"] } {
  const { response } = ProcessingResponse.decode(bytes);
  if (response?.$case !== "requestBody" && response?.$case !== "responseBody") return { part: new Uint8Array(), ends: "trailers" };
  const mutation = response.value.response?.bodyMutation?.mutation;
  if (mutation?.$case !== "streamedResponse") throw new Error("an answer that leaves the body to Envoy, which has no copy of it");
  return { part: mutation.value.body ?? new Uint8Array(), ends: mutation.value.endOfStream === true ? "body" : undefined };
}

function phaseOf(answer: string): string {
  return answer.replace(/-([a-z])/, (_, letter: string) => letter.toUpperCase());
}

/** Notes a message as Envoy would that waits for its answer. */
export function expectAnswer(watch: Watch, bytes: Uint8Array): void {
  if (watch.replied || watch.ended) return;
  try {
    const { request, observabilityMode, protocolConfig } = ProcessingRequest.decode(bytes);
    if (request === undefined || observabilityMode === true) return;
    if (protocolConfig !== undefined) {
      watch.whole.clear();
      watch.pieces.clear();
      watch.duplex.clear();
      for (const one of ["request", "response"] as const) {
        const mode = protocolConfig[`${one}BodyMode`];
        if (mode === BodyMode.BUFFERED) watch.whole.add(one);
        else if (mode !== undefined && mode !== BodyMode.NONE) watch.pieces.add(one);
        if (mode === BodyMode.FULL_DUPLEX_STREAMED) watch.duplex.add(one);
      }
    }
    const direction = request.$case.startsWith("request") ? "request" : "response";
    const passing = watch.passing.get(direction);
    if (passing !== undefined && !("headers" in request.value)) return noteComing(passing, request);
    watch.unanswered.push(request.$case);
    if ("headers" in request.value) noteHeaders(watch, direction, request.value);
    if ("headers" in request.value && request.value.headers?.headers?.some(({ key }) => key?.toLowerCase() === "content-length"))
      watch.measured.add(direction);
    if (watch.unanswered.length > waitingMax) watch.faults.push("more messages wait than memory should hold");
  } catch {
    // No message: it may only be refused.
  }
}

/** From here on Envoy sends bodies as it is asked to. */
function overridden(watch: Watch, { buffer, stream }: { readonly buffer?: readonly string[]; readonly stream?: readonly string[] }): void {
  for (const one of ["request", "response"] as const) {
    note(watch.whole, one, buffer);
    note(watch.duplex, one, stream);
    note(watch.pieces, one, stream);
  }
}

function note(directions: Set<Direction>, one: Direction, asked: readonly string[] = []): void {
  if (asked.includes(one)) directions.add(one);
  else directions.delete(one);
}

function noteComing(passing: PassingBody, request: NonNullable<ProcessingRequest["request"]>): void {
  if ("body" in request.value)
    comes(passing, request.value.body ?? new Uint8Array(), request.value.endOfStream === true ? "body" : undefined);
  else comes(passing, new Uint8Array(), "trailers");
}

function noteHeaders(watch: Watch, direction: Direction, { headers, endOfStream }: HttpHeaders): void {
  if (watch.begun.has(direction)) return;
  watch.begun.add(direction);
  if (endOfStream === true) watch.bodyless.add(direction);
  else if (watch.duplex.has(direction)) {
    const codings = (headers?.headers ?? []).filter(({ key }) => key?.toLowerCase() === "content-encoding");
    watch.passing.set(direction, {
      codings: codings.map(({ rawValue }) => Buffer.from(rawValue ?? []).toString()),
      stages: watch.stages[direction],
      came: [],
      left: [],
      whole: undefined,
      over: false,
    });
  }
}

/** The headers, the 64 that may wait for them, and the one that is too many. */
const waitingMax = 66;
