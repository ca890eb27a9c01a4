export function pieceBytes(piece: { readonly send: string } | { readonly fill: number }): Buffer {
  if ("fill" in piece) return Buffer.alloc(piece.fill, "x");
  return piece.send.startsWith("hex:") ? Buffer.from(piece.send.slice(4), "hex") : Buffer.from(piece.send, "utf8");
}

/** How long nothing must come before an answer without an end counts as all of it, when the request has been written. */
export const silenceMs = 150;
/** How long an answer may take. */
export const answerMsMax = 10_000;
