/** A content coding (RFC 9110 8.4.1, RFC 7932, RFC 8878) that the engine can undo and apply. */
export type Coding = "gzip" | "deflate" | "br" | "zstd";

/** The most codings of one body: more than one is rare, and each costs its buffers. */
const codingsMax = 3;

/**
 * The codings of a body in the order in which they were applied; none for a body as it is. Undefined when one is unknown or there are too many.
 *
 * @param contentEncoding the values of the header `content-encoding`, in their order
 */
export function codingsOf(contentEncoding: readonly string[]): readonly Coding[] | undefined {
  const names = contentEncoding.flatMap((value) => value.split(",")).map((name) => name.trim().toLowerCase());
  const codings = names.filter((name) => name !== "" && name !== "identity").map(codingOf);
  return codings.length <= codingsMax && codings.every((coding) => coding !== undefined) ? codings : undefined;
}

function codingOf(name: string): Coding | undefined {
  switch (name) {
    case "gzip":
    // RFC 9110 8.4.1.3.
    case "x-gzip":
      return "gzip";
    case "deflate":
    case "br":
    case "zstd":
      return name;
    default:
      return undefined;
  }
}
