/** A message holds a body and the headers beside it, bytes. */
const marginBytes = 1024 * 1024;

/** The longest message that the engine takes and sends; Envoy's `max_receive_message_length` must not be smaller. */
export function messageBytesMax(bodyBytesMax: number): number {
  return bodyBytesMax + marginBytes;
}
