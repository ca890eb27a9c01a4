/** A body with something to mask in it, and what is left of it: another length, and no two pieces alike. */
import { createHash } from "node:crypto";

/** How a body is sent, bytes. */
const pieceBytes = 16 * 1024;
const filler = `${"word ".repeat(180)}\n`;

/** The pieces of a body of about this size; the smallest has a line of about 1 KB. */
export function* bodyPieces(bodyBytes: number): Generator<Buffer> {
  for (const number of pieceNumbers(bodyBytes)) yield piece(number, linesIn(bodyBytes), (line) => `user${line}@example.com`);
}

/** What `mask` makes of it. */
export function maskedHash(bodyBytes: number): string {
  const hash = createHash("sha256");
  for (const number of pieceNumbers(bodyBytes)) hash.update(piece(number, linesIn(bodyBytes), () => "***"));
  return hash.digest("hex");
}

function* pieceNumbers(bodyBytes: number): Generator<number> {
  for (let number = 0; number < bodyBytes / pieceBytes; number += 1) yield number;
}

const linesIn = (bodyBytes: number): number => Math.ceil(Math.min(pieceBytes, bodyBytes) / (filler.length + 40));

function piece(number: number, lines: number, address: (line: string) => string): Buffer {
  return Buffer.from(Array.from({ length: lines }, (_, index) => `${number} ${index} ${address(`${number}.${index}`)} ${filler}`).join(""));
}
