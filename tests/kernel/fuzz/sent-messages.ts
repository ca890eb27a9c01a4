/** What is to be expected once Envoy has sent a message, and once it was asked for bodies in another way. */
import { ProcessingMode_BodySendMode as BodyMode } from "../../../src/generated/proto/envoy/extensions/filters/http/ext_proc/v3/processing_mode.ts";
import { type HttpHeaders, ProcessingRequest } from "../../../src/generated/proto/envoy/service/ext_proc/v3/external_processor.ts";
import { comes, type PassingBody } from "./passing-body.ts";
import type { Direction } from "./steps.ts";
import type { Watch } from "./watch.ts";

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

/** From here on Envoy sends bodies as it is asked to. */
export function overridden(
  watch: Watch,
  { buffer, stream }: { readonly buffer?: readonly string[]; readonly stream?: readonly string[] },
): void {
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
