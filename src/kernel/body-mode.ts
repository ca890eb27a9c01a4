import type { BodyUse } from "../worker/chain.ts";

/** The body modes of Envoy that the engine uses: NONE, BUFFERED and FULL_DUPLEX_STREAMED. */
export type BodyMode = "none" | "buffered" | "full-duplex-streamed";

/**
 * How Envoy's configuration is to send a body for what a chain does with it. (An override asks for a whole body or for none, see `processing-mode.ts`.)
 *
 * - A step that waits for the whole body needs BUFFERED: Envoy holds the headers meanwhile, so that the step can still change them and reply. Transforms
 *   of the same chain then get the body as one chunk.
 * - Transforms need FULL_DUPLEX_STREAMED, with trailers: any number of pieces may leave for one that has come, so that a transform can hold bytes back
 *   (an event, a line, a block of a coding), and trailers come to the engine, so that the end is known and what was held can leave before them.
 *
 * Never STREAMED (all measured on Envoy 1.36.2). It wants one answer for each chunk at once, so nothing can be held; an answer to trailers carries no
 * body, so what is held when they come is lost, and without trailers asked for the end is never shown. Whether a body comes before or after the answer
 * to the headers changes what an answer means there. And it is not cheaper: a transform sends every byte back in either mode.
 * Never BUFFERED_PARTIAL: what does not fit the buffer passes unseen.
 */
export function bodyMode(use: BodyUse): BodyMode {
  return use === "streamed" ? "full-duplex-streamed" : use;
}
