import { HpackDecoder } from "../../../src/transport/native/hpack/hpack-decoder.ts";
import { defaultLimits } from "../../../src/transport/native/limits.ts";
import { type DrivenConnection, tables } from "./driven-connection.ts";
import { type Frame, flags, types } from "./frames.ts";

/** What a client is owed, whatever it has sent: breaks of RFC 9113 and of the seam in what came back. */
export function createOutputRules(driven: DrivenConnection) {
  const hpack = new HpackDecoder(tables, defaultLimits);
  const begun = new Set<number>();
  const ended = new Set<number>();
  const broken: string[] = [];
  const rule = (holds: boolean, what: string): void => {
    if (!holds) broken.push(what);
  };

  const onStream = ({ type, flags: has, streamId, payload }: Frame): void => {
    rule(!ended.has(streamId), `type ${type} on stream ${streamId} after its end`);
    if (type === types.headers) {
      rule((has & flags.endHeaders) !== 0, "a header block in pieces");
      const fields = hpack.decode(payload, 0, payload.length);
      rule(fields !== "too-large", "header fields that are too many");
      const first = fields === "too-large" ? undefined : fields[0]?.name;
      rule(
        begun.has(streamId) ? first === "grpc-status" && (has & flags.endStream) !== 0 : first === ":status",
        `headers that start with ${first}`,
      );
      begun.add(streamId);
    } else rule(begun.has(streamId), `DATA on stream ${streamId} without headers`);
    if ((has & flags.endStream) !== 0) ended.add(streamId);
  };

  return {
    heard(frames: readonly Frame[]): void {
      for (const frame of frames) {
        rule(frame.payload.length <= 16_384, "a frame that is too large");
        if (frame.type === types.data || frame.type === types.headers) onStream(frame);
        else if (frame.type === types.reset) {
          ended.add(frame.streamId);
        } else rule(frame.type !== types.continuation && frame.type !== types.pushPromise, `type ${frame.type}`);
      }
    },
    /** Everything has been heard, and so many bytes at most have not been taken. */
    kept(untakenMax: number): void {
      const { connection, memory } = driven;
      rule(memory.bytes >= 0, "less than nothing is kept");
      if (connection.streams === 0) rule(memory.bytes <= untakenMax, `${memory.bytes} bytes are kept for no stream`);
    },
    /** The client has sent these frames, and everything has been heard that came because of them. */
    sent(frames: readonly Frame[]): void {
      for (const { type, streamId } of frames) if (type === types.reset) ended.add(streamId);
    },
    /** Everything that is broken, at the end of the connection. */
    atEnd(): readonly string[] {
      driven.connection.lost();
      for (const [nth, { events }] of driven.calls.entries()) {
        rule(events.at(-1) === "closed", `call ${nth} ends with ${events.at(-1)}`);
        rule(events.filter((event) => event === "closed").length === 1, `call ${nth} is closed more than once`);
        rule(events.filter((event) => event === "half-closed").length <= 1, `call ${nth} half-closes more than once`);
        const half = events.indexOf("half-closed");
        rule(half === -1 || !events.slice(half).some((event) => event.startsWith("message")), `call ${nth} hears a message after the last`);
      }
      rule(driven.connection.streams === 0, "streams are left");
      rule(driven.memory.bytes === 0, "memory is left");
      return broken;
    },
  };
}
