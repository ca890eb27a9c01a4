import { ByteQueue } from "./byte-queue.ts";
import { type BodyEditor, BodyFault } from "./editor.ts";

/**
 * Holds a body until it is whole, for an edit that needs all of it. A body without a byte is not edited.
 *
 * @param bodyBytesMax the largest body that is held; a larger one ends the exchange
 * @param edit gives what goes on
 */
export function wholeEditor(bodyBytesMax: number, edit: (body: Uint8Array) => Uint8Array): BodyEditor {
  const held = new ByteQueue();
  return {
    chunk(bytes) {
      if (held.length + bytes.length > bodyBytesMax) throw new BodyFault(`the body is larger than ${bodyBytesMax} bytes`);
      held.append(bytes);
      return undefined;
    },
    end: () => (held.length === 0 ? undefined : edit(held.view())),
  };
}
