/** A body that passes in pieces: what has come, what has left, and whether the one is what the steps make of the other. */
import { brotliDecompressSync, constants, gunzipSync } from "node:zlib";
import type { Stage } from "./transforms.ts";

export interface PassingBody {
  /** Its content codings, in the order in which they were applied. */
  readonly codings: readonly string[];
  /** In the order in which it passes them. */
  readonly stages: readonly Stage[];
  readonly came: Uint8Array[];
  readonly left: Uint8Array[];
  /** What has said that all of it has come. */
  whole: "body" | "trailers" | undefined;
  /** Its last answer has left. */
  over: boolean;
}

export const ways = ["as it is", "changed", "decoded and changed"] as const;

export function wayOf({ stages, codings }: PassingBody): (typeof ways)[number] {
  if (stages.length === 0) return "as it is";
  return codings.length === 0 ? "changed" : "decoded and changed";
}

/** What comes behind the end is no part of it. */
export function comes(body: PassingBody, bytes: Uint8Array, ends: PassingBody["whole"]): void {
  if (body.whole !== undefined) return;
  body.came.push(bytes);
  body.whole = ends;
}

/** What is wrong about an answer. @param ends the answer is the last one, and says so as this */
export function leaves(body: PassingBody, bytes: Uint8Array, ends: PassingBody["whole"]): readonly string[] {
  if (body.over) return ["an answer behind the last one"];
  body.left.push(bytes);
  body.over = ends !== undefined;
  const early = ends !== undefined && ends !== body.whole ? [`the end is said as ${ends}, and has come as ${body.whole}`] : [];
  const open = ends !== undefined && body.stages.some(({ ended }) => !ended) ? ["the end is said before a transform has come to it"] : [];
  return [...early, ...open, ...untrue(body)];
}

/** Where what goes on is not what was given on before: a beginning of it, and at the end all of it. */
function untrue({ codings, stages, came, left, over }: PassingBody): readonly string[] {
  const coded = stages.length === 0 ? [] : codings;
  const flows = [
    decoded(came, coded),
    ...stages.flatMap(({ took, gave }) => [Buffer.concat(took), Buffer.concat(gave)]),
    decoded(left, coded),
  ];
  return Array.from({ length: flows.length / 2 }, (_, place) => place * 2).flatMap((place) => {
    const [given, taken] = [flows[place], flows[place + 1]];
    // What comes may be damaged anywhere; what is made of it is not.
    if (given === undefined && place === 0) return [];
    const fits = given !== undefined && taken !== undefined && (over ? given : given.subarray(0, taken.length)).equals(taken);
    return fits ? [] : [`place ${place / 2} of ${stages.length}: of ${given?.toString("hex")} goes on ${taken?.toString("hex")}`];
  });
}

/** As far as it can be decoded; undefined when it is damaged. */
function decoded(parts: readonly Uint8Array[], codings: readonly string[]): Buffer | undefined {
  try {
    return codings.reduceRight<Buffer>(undo, Buffer.concat(parts));
  } catch {
    return undefined;
  }
}

function undo(bytes: Buffer, coding: string): Buffer {
  if (bytes.length === 0) return bytes;
  return coding === "br"
    ? brotliDecompressSync(bytes, { finishFlush: constants.BROTLI_OPERATION_FLUSH })
    : gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
}
