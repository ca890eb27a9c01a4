import type { BodyTransform, StreamControl } from "@envoy-policy-engine/sdk";

/**
 * Edits one body as it passes, and holds back only what it cannot decide on yet. What it gives is the same however the body is cut into chunks.
 * Both throw a {@link BodyFault} where the body cannot go on.
 */
export interface BodyEditor {
  /** @param bytes not kept behind the call, nor changed. What is returned is the caller's, and is not changed any more. */
  chunk(bytes: Uint8Array): Uint8Array | undefined;
  /** Behind the last chunk: gives what was held back. */
  end(): Uint8Array | undefined;
}

/** Why a body cannot go on. Editors throw it, and what they call may: the exchange ends with the message as its reason in the log. */
export class BodyFault extends Error {
  override readonly name = "BodyFault";
}

/** A transform that sends a body through editors, one behind the other. New ones for each body: they remember what they hold. */
export function editing(stream: StreamControl, ...editors: readonly BodyEditor[]): BodyTransform {
  let aborted = false;
  const guarded = (edit: () => Uint8Array | undefined): Uint8Array | undefined => {
    if (aborted) return undefined;
    try {
      return edit();
    } catch (error) {
      if (!(error instanceof BodyFault)) throw error;
      aborted = true;
      stream.abort(error.message);
      return undefined;
    }
  };
  return {
    chunk: (bytes) => guarded(() => through(editors, bytes)),
    end: () => guarded(() => ends(editors)),
  };
}

function through(editors: readonly BodyEditor[], bytes: Uint8Array | undefined): Uint8Array | undefined {
  let passing = bytes;
  for (const editor of editors) {
    if (passing === undefined || passing.length === 0) return undefined;
    passing = editor.chunk(passing);
  }
  return passing;
}

/** What one editor still gives goes through those behind it before they end themselves. */
function ends(editors: readonly BodyEditor[]): Uint8Array | undefined {
  const parts = editors.map((editor, index) => through(editors.slice(index + 1), editor.end()));
  return Buffer.concat(parts.filter((part) => part !== undefined));
}
