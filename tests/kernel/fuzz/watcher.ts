/** Knows, beside a stream, what was sent and what the handlers did, and holds the engine's writes against what is promised. */
import { ProcessingResponse } from "../../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import type { StreamHandler } from "../../../src/kernel/transport.ts";
import { type EngineDoes, engineDoes } from "../../conversations/conversation.ts";
import type { EngineUnderTest } from "../../conversations/engine-under-test.ts";
import type { Coverage } from "./coverage.ts";
import { leaves, type PassingBody, wayOf } from "./passing-body.ts";
import { overridden } from "./sent-messages.ts";
import type { Step } from "./steps.ts";
import type { Watch } from "./watch.ts";

/** Whether the transport takes what is written at once, or only a little later. */
export type Room = "always" | "later";

/** Whether the chain denies everybody. */
export type Lets = "some pass" | "nobody pass";

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
